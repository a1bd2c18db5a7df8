/** The sign of each operation. */
import AudioLines from '@lucide/svelte/icons/audio-lines';
import VolumeX from '@lucide/svelte/icons/volume-x';
import Binary from '@lucide/svelte/icons/binary';
import BrainCircuit from '@lucide/svelte/icons/brain-circuit';
import Crop from '@lucide/svelte/icons/crop';
import FileOutput from '@lucide/svelte/icons/file-output';
import Film from '@lucide/svelte/icons/film';
import FlipHorizontal from '@lucide/svelte/icons/flip-horizontal-2';
import Frame from '@lucide/svelte/icons/frame';
import Gauge from '@lucide/svelte/icons/gauge';
import Layers from '@lucide/svelte/icons/layers';
import ListEnd from '@lucide/svelte/icons/list-end';
import Maximize from '@lucide/svelte/icons/maximize-2';
import Merge from '@lucide/svelte/icons/merge';
import Move from '@lucide/svelte/icons/move-3d';
import Palette from '@lucide/svelte/icons/palette';
import RotateCw from '@lucide/svelte/icons/rotate-cw';
import Rows from '@lucide/svelte/icons/rows-3';
import Scaling from '@lucide/svelte/icons/scaling';
import Scissors from '@lucide/svelte/icons/scissors';
import ScissorsLineDashed from '@lucide/svelte/icons/scissors-line-dashed';
import Sparkles from '@lucide/svelte/icons/sparkles';
import Split from '@lucide/svelte/icons/split';
import Paintbrush from '@lucide/svelte/icons/paintbrush';
import Captions from '@lucide/svelte/icons/captions';
import Sun from '@lucide/svelte/icons/sun';
import Mountain from '@lucide/svelte/icons/mountain';
import Type from '@lucide/svelte/icons/type';
import CaptionsTrack from '@lucide/svelte/icons/message-square-text';
import User from '@lucide/svelte/icons/square-user-round';
import Volume from '@lucide/svelte/icons/volume-2';
import Waves from '@lucide/svelte/icons/waves';
import Workflow from '@lucide/svelte/icons/workflow';
import type { Component } from 'svelte';

export type Icon = Component<{ size?: number; strokeWidth?: number; 'aria-hidden'?: 'true' }>;

const ICONS: Record<string, Icon> = {
  source: Film,
  sink: FileOutput,
  upscale: Maximize,
  onnx: BrainCircuit,
  resize: Scaling,
  crop: Crop,
  pad: Frame,
  rotate: RotateCw,
  flip: FlipHorizontal,
  convert: Binary,
  deinterlace: Rows,
  fps: Gauge,
  stabilise: Move,
  interpolate: Waves,
  trim: Scissors,
  cut: ScissorsLineDashed,
  denoise: Sparkles,
  color: Palette,
  overlay: Layers,
  background: User,
  light: Sun,
  style: Paintbrush,
  depth: Mountain,
  text: Type,
  subtitles: Captions,
  subtitle_track: CaptionsTrack,
  concat: ListEnd,
  mux: Merge,
  loudness: Volume,
  audio_denoise: AudioLines,
  audio_redact: VolumeX,
  split_channels: Split,
};

/** An operation that this window does not know is drawn, too. */
export const iconOf = (op: string): Icon => ICONS[op] ?? Workflow;

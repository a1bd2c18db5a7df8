/** What a person wants to know of a file, picked from what the probe found. */
import { language, t } from '../i18n/index.svelte';
import { number } from '../i18n/numbers';
import type { Job } from '../ipc/bindings/Job';
import type { MediaInfo } from '../ipc/bindings/MediaInfo';
import type { PresetId } from '../ipc/bindings/PresetId';
import type { StreamInfo } from '../ipc/bindings/StreamInfo';
import type { VideoInfo } from '../ipc/bindings/VideoInfo';

/** The last part of a path, of either kind of system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}

/** The folder of a path. */
export function folderOf(path: string): string {
  const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return cut > 0 ? path.slice(0, cut) : path.slice(0, cut + 1);
}

/** The stream that is processed: the first video stream that is no cover art. */
export function mainVideo(info: MediaInfo): { stream: StreamInfo; video: VideoInfo } | null {
  for (const stream of info.streams) {
    if (stream.video && !stream.dispositions.includes('attached_pic')) {
      return { stream, video: stream.video };
    }
  }
  return null;
}

/** A player shows it turned by a quarter. */
export function isTurned(video: VideoInfo): boolean {
  return Math.abs(video.rotation_degrees) % 180 === 90;
}

/** Width and height as a player shows them: turned, where the file says so. */
export function shownSize(video: VideoInfo): [number, number] {
  return isTurned(video) ? [video.height, video.width] : [video.width, video.height];
}

/** PQ or HLG. */
export function isHdr(video: VideoInfo): boolean {
  return video.color.transfer === 'smpte2084' || video.color.transfer === 'arib-std-b67';
}

const CODEC_NAMES: Record<string, string> = {
  h264: 'H.264', hevc: 'HEVC', av1: 'AV1', vp8: 'VP8', vp9: 'VP9', prores: 'ProRes', dnxhr: 'DNxHR', ffv1: 'FFV1',
  mpeg2video: 'MPEG-2', mpeg4: 'MPEG-4', mjpeg: 'JPEG', png: 'PNG', webp: 'WebP', tiff: 'TIFF', gif: 'GIF',
  dnxhd: 'DNxHD', cfhd: 'CineForm', aac: 'AAC', mp3: 'MP3', opus: 'Opus', vorbis: 'Vorbis', flac: 'FLAC',
  ac3: 'AC-3', eac3: 'E-AC-3', jpeg: 'JPEG', avif: 'AVIF', bmp: 'BMP', wmav1: 'WMA', wmav2: 'WMA', wmapro: 'WMA Pro', amr_nb: 'AMR',
};

/** A codec as people write it. */
export function codecName(codec: string): string {
  return CODEC_NAMES[codec] ?? (codec.startsWith('pcm_') ? 'PCM' : codec.toUpperCase());
}

/** What makes a result, of which `alone` is sound without pictures: an encoder by its name, or that it is copied. */
export function encoderName(encoder: string, alone = false): string {
  if (encoder !== 'copy') return encoder;
  return t(alone ? 'plan.copied.sound' : 'plan.copied');
}

/** Endings that nothing but sound has. */
export const SOUND_ENDINGS: ReadonlySet<string> = new Set([
  'aac', 'ac3', 'aif', 'aiff', 'amr', 'ape', 'caf', 'flac', 'm4a', 'm4b', 'mka', 'mp3', 'oga', 'ogg', 'opus', 'w64', 'wav', 'wma', 'wv',
]);

/** There is nothing to see of it: so the probe found, or so its name says until that is known. */
export function isSound(path: string, info: MediaInfo | null = null): boolean {
  if (info !== null) return info.kind === 'audio';
  return SOUND_ENDINGS.has(path.slice(path.lastIndexOf('.') + 1).toLowerCase());
}

/** The result of a job holds sound and no pictures. */
export function isAlone(job: Job): boolean {
  return job.sizes === null;
}

/** Nodes that change how something sounds. */
const OF_SOUND: ReadonlySet<string> = new Set(['audio_denoise', 'audio_redact', 'loudness']);

/** A job works on the sound of a file, and not on its pictures alone. */
export function changesSound(job: Job): boolean {
  return isAlone(job) || job.spec.graph.nodes.some(({ op }) => OF_SOUND.has(op));
}

/** The tracks of sound of a file. */
export function soundTracks(info: MediaInfo): StreamInfo[] {
  return info.streams.filter((stream) => stream.kind === 'audio');
}

/** How far a job is, in frames, or in seconds of sound where there are none; `null` where that is nothing to count. */
export function doneOf(job: Job): string | null {
  const { done, total } = job.progress;
  if (total === null || (total <= 1 && !isAlone(job))) return null;
  const counts = { done: number(done, language()), total: number(total, language()) };
  return t(isAlone(job) ? 'job.seconds.value' : 'job.frames.value', counts);
}

/** How fast it goes: frames a second, or how many times as fast as the sound lasts. */
export function speedOf(job: Job, perSecond = job.progress.fps): string {
  if (isAlone(job)) return t('job.speed.sound', { times: number(perSecond, language(), perSecond < 10 ? 1 : 0) });
  return t('job.fps.value', { fps: number(perSecond, language(), 1) });
}

/** What a job that runs is at. */
export function stepOf(job: Job): string {
  const { step } = job.progress;
  return t(step === 'processing' && isAlone(job) ? 'step.processing.sound' : `step.${step}`);
}

/** Share done, 0 to 1; `null` while the total is unknown. */
export function fraction(job: Job): number | null {
  const { done, total } = job.progress;
  if (job.state === 'succeeded') return 1;
  return total !== null && total > 0 ? Math.min(1, done / total) : null;
}

/** No further change is possible but removal or a new try. */
export function isTerminal(job: Job): boolean {
  return job.state === 'succeeded' || job.state === 'failed' || job.state === 'cancelled';
}

/** Over for good: nothing of it is kept for another try. A failed job keeps its finished parts. */
export function isFinished(job: Job): boolean {
  return job.state === 'succeeded' || job.state === 'cancelled';
}

/** A worker may be busy with it. */
export function isActive(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running';
}

/** The model that the job's graph enlarges with. */
export function modelOf(job: Job): string | null {
  for (const node of job.spec.graph.nodes) {
    if (node.op === 'upscale') return node.params.model;
  }
  return null;
}

const BACKGROUNDS: Record<string, PresetId> = { remove: 'cutout', blur: 'defocus', color: 'backdrop', picture: 'backdrop' };
/** Nodes that one card alone is about. */
const SINGLE: readonly [string, PresetId][] = [
  ['redact', 'redact'], ['reframe', 'reframe'], ['stabilise', 'steady'], ['interpolate', 'smooth'], ['light', 'light'], ['style', 'style'], ['depth', 'depth'],
  ['subtitles', 'subtitles'], ['subtitle_track', 'subtitles'],
];

/** The preset that a job is most like: what was drawn on the canvas is none exactly. */
export function presetOf(job: Job): PresetId {
  const { graph, encode, output } = job.spec;
  const has = (op: string) => graph.nodes.some((node) => node.op === op);
  const ending = output.slice(output.lastIndexOf('.') + 1).toLowerCase();
  if (has('upscale')) return 'enlarge';
  for (const { op, params } of graph.nodes as { op: string; params?: { mode?: string } }[]) {
    if (op === 'background') return BACKGROUNDS[params?.mode ?? 'remove'] ?? 'cutout';
  }
  for (const [op, preset] of SINGLE) if (has(op)) return preset;
  if (/%0?\d*d\.\w+$/.test(output)) return 'frames';
  if (has('cut')) return 'silence';
  if (has('audio_denoise') && has('loudness')) return 'voice';
  if (has('loudness')) return 'loudness';
  if (isAlone(job)) return 'sound';
  if (encode.codec === 'ffv1') return 'archive';
  if (['gif', 'apng', 'webp'].includes(ending) && has('fps')) return 'animate';
  if (has('denoise')) return 'clean';
  if (has('resize')) return 'share';
  if (has('deinterlace')) return 'deinterlace';
  return 'enlarge';
}

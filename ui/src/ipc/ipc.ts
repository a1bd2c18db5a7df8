/**
 * The one door between the window and the program. Everything outside this folder talks to
 * `Ipc`; only `tauri.ts` knows what is behind it.
 */
import type { AppError } from './bindings/AppError';
import type { Expanded } from './bindings/Expanded';
import type { Job } from './bindings/Job';
import type { JobEvent } from './bindings/JobEvent';
import type { Likeness } from './bindings/Likeness';
import type { MediaInfo } from './bindings/MediaInfo';
import type { ModelEntry } from './bindings/ModelEntry';
import type { Receipt } from './bindings/Receipt';
import type { Report } from './bindings/Report';
import type { Settings } from './bindings/Settings';
import type { SoundOfBoth } from './bindings/SoundOfBoth';
import type { UpscalePlan } from './bindings/UpscalePlan';
import type { UpscaleRequest } from './bindings/UpscaleRequest';
import type { Verification } from './bindings/Verification';
import type { LibraryIpc } from './library';
import type { QueueIpc } from './queue';
import type { CanvasIpc } from './canvas';
import type { HomeIpc } from './home';
import type { PresetsIpc } from './presets';
import type { ProjectIpc } from './project';
import type { ModelsIpc } from './models';
import type { ShellIpc } from './shell';

/** Which picture of a pair: the source's or the result's. */
export type Side = 'before' | 'after';

/** What the pointer does with files above the window. */
export interface DropHandlers {
  over(): void;
  leave(): void;
  drop(paths: string[]): void;
}

/** What to do with a running job when the window is to close: go on, finish its part first, or stop. */
export type CloseAnswer = 'stay' | 'after_part' | 'now';

/** Ends a subscription. */
export type Stop = () => void;

/** Every call rejects with an `AppError` and with nothing else. */
export interface Ipc extends CanvasIpc, HomeIpc, LibraryIpc, ModelsIpc, PresetsIpc, ProjectIpc, QueueIpc, ShellIpc {
  /** Files named on the command line. */
  startFiles(): Promise<string[]>;
  /** Folders become the media files inside them. */
  expandInputs(paths: string[]): Promise<Expanded>;
  probeMedia(path: string): Promise<MediaInfo>;
  listModels(): Promise<ModelEntry[]>;
  planUpscale(request: UpscaleRequest): Promise<UpscalePlan>;
  submitUpscale(request: UpscaleRequest): Promise<Job>;
  listJobs(): Promise<Job[]>;
  pauseJob(id: string): Promise<void>;
  resumeJob(id: string): Promise<void>;
  cancelJob(id: string): Promise<void>;
  removeJob(id: string): Promise<void>;
  watchJobs(onEvent: (event: JobEvent) => void): Promise<void>;
  revealOutput(id: string): Promise<void>;
  /** What was checked when a job was finished. */
  receipt(id: string): Promise<Receipt>;
  /** Is the file at a job's output still what the job made? */
  verifyOutput(id: string): Promise<Verification>;
  /** How alike a frame of a result and of its source are. */
  likeness(id: string, atMicros: number): Promise<Likeness>;
  /** What a source and its result sound like. All of both is listened to, which takes a while. */
  soundOfBoth(id: string): Promise<SoundOfBoth>;
  getSettings(): Promise<Settings>;
  setSettings(settings: Settings): Promise<void>;
  /** What this machine has and can do; takes a few seconds, for it is tried and measured. */
  lookAtMachine(): Promise<Report>;

  /** The user wants to close the window while a job runs. */
  onCloseAsked(handler: () => void): Promise<Stop>;
  answerClose(answer: CloseAnswer): Promise<void>;
  /** The first place is drawn and answers. */
  pageIsUp(): Promise<void>;

  /** The system's dialogs; nothing chosen is an empty list or `null`. */
  chooseFiles(title: string, filterName: string): Promise<string[]>;
  chooseFolder(title: string): Promise<string | null>;
  onFileDrop(handlers: DropHandlers): Promise<Stop>;

  /** Addresses for `<img>`: `size` is the longest side in pixels. */
  thumbnailUrl(path: string, size: number): string;
  /** A clip at a time, `size` at most on its longest side: the exact frame, or one near by at once. */
  clipUrl(path: string, atMicros: number, size: number, exact: boolean): string;
  frameUrl(job: string, side: Side, atMicros: number): string;
}

/** Makes an `AppError` of whatever was thrown, so that the window has one shape to show. */
export function toAppError(thrown: unknown): AppError {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown) {
    const error = thrown as Partial<AppError> & Pick<AppError, 'code' | 'message'>;
    return { hint: null, details: null, ...error };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal', message, hint: null, details: null };
}

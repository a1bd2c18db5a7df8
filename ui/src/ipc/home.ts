/** The half of the door for the place where work begins: presets, the clipboard, sound to listen to. */
import type { Clipboard } from './bindings/Clipboard';
import type { FacesView } from './bindings/FacesView';
import type { MediaInfo } from './bindings/MediaInfo';
import type { PresetCard } from './bindings/PresetCard';
import type { PresetFit } from './bindings/PresetFit';
import type { SoundWish } from './bindings/SoundWish';
import type { Job } from './bindings/Job';
import type { SceneExport } from './bindings/SceneExport';
import type { ScenesView } from './bindings/ScenesView';
import type { SilenceView } from './bindings/SilenceView';
import type { Span } from './bindings/Span';
import type { UpscaleRequest } from './bindings/UpscaleRequest';

export interface HomeIpc {
  /** What can be done in a word, in the order of the cards. */
  presets(): Promise<PresetCard[]>;
  /** Which of them a file is for, of which `span` is taken. */
  presetFits(info: MediaInfo, span: Span | null): Promise<PresetFit[]>;
  /** What the clipboard holds that can be worked on. */
  clipboard(): Promise<Clipboard>;
  /** The files on the clipboard, or one made of the picture on it, which is called `name`. */
  paste(name: string): Promise<string[]>;
  /** A stretch of sound: left and right by turns, 16 bit each, the lower byte first. */
  clipSound(wish: SoundWish): Promise<ArrayBuffer>;
  /** What would be kept of a clip whose silence is cut. The first time it is listened to, which takes a while. */
  viewSilence(request: UpscaleRequest): Promise<SilenceView>;
  /** The shots of a clip. The first time all its pictures are looked at; `onPart` hears the part that is done, 0 to 1. */
  viewScenes(request: UpscaleRequest, onPart: (part: number) => void): Promise<ScenesView>;
  /** Writes the shots as a list, chapters or a sheet; gives the name of the file. */
  saveScenes(request: UpscaleRequest, what: SceneExport, onPart: (part: number) => void): Promise<string>;
  /** Queues a job for each shot. */
  splitScenes(request: UpscaleRequest, onPart: (part: number) => void): Promise<Job[]>;
  /** Nobody waits for shots any more: a search that is going on ends. */
  leaveScenes(): Promise<void>;
  /** Who is seen in a file that is to be redacted. The first time all its pictures are looked at, which takes about as long as the work. */
  viewFaces(request: UpscaleRequest, onPart: (part: number) => void): Promise<FacesView>;
  /** Nobody waits for faces any more: a search that is going on ends. */
  leaveFaces(): Promise<void>;
  /** Address of the picture of a face. */
  faceUrl(key: string): string;
}

/** The half of the door for the place where work begins: presets, the clipboard, sound to listen to. */
import type { Clipboard } from './bindings/Clipboard';
import type { MediaInfo } from './bindings/MediaInfo';
import type { PresetCard } from './bindings/PresetCard';
import type { PresetFit } from './bindings/PresetFit';
import type { SoundWish } from './bindings/SoundWish';
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
}

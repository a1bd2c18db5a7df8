/** The part of the door for presets that are shared as files, and for folders that are watched. */
import type { MediaInfo } from './bindings/MediaInfo';
import type { MediaKind } from './bindings/MediaKind';
import type { SavedFit } from './bindings/SavedFit';
import type { SavedPreset } from './bindings/SavedPreset';
import type { Shelf } from './bindings/Shelf';
import type { Span } from './bindings/Span';
import type { UpscaleRequest } from './bindings/UpscaleRequest';
import type { WatchFolder } from './bindings/WatchFolder';
import type { WatchFolderView } from './bindings/WatchFolderView';

export interface PresetsIpc {
  /** The presets that came with the program, then the user's. */
  shelf(): Promise<Shelf>;
  /** Which of them a file is for, of which `span` is taken. */
  savedFits(info: MediaInfo, span: Span | null): Promise<SavedFit[]>;
  /** Keeps how something is done, called `name` in `language`. */
  savePreset(name: string, language: string, request: UpscaleRequest, kind: MediaKind): Promise<SavedPreset>;
  addPreset(path: string): Promise<SavedPreset>;
  exportPreset(id: string, to: string): Promise<void>;
  removePreset(id: string): Promise<void>;
  watchFolders(): Promise<WatchFolderView[]>;
  /** Watches a folder from now on, or changes what is done with its files. */
  putWatchFolder(watch: WatchFolder): Promise<void>;
  removeWatchFolder(folder: string): Promise<void>;
  /** The system's dialogs for preset files. */
  choosePreset(title: string): Promise<string | null>;
  choosePresetSave(title: string, suggested: string): Promise<string | null>;
}

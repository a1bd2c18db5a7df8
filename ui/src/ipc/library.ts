/** The library's half of the door. */
import type { Done } from './bindings/Done';
import type { Fate } from './bindings/Fate';
import type { Imported } from './bindings/Imported';
import type { LibraryDetails } from './bindings/LibraryDetails';
import type { LibraryEvent } from './bindings/LibraryEvent';
import type { LibraryItem } from './bindings/LibraryItem';
import type { LibraryQuery } from './bindings/LibraryQuery';
import type { LibrarySummary } from './bindings/LibrarySummary';
import type { MadeSheet } from './bindings/MadeSheet';
import type { SheetWish } from './bindings/SheetWish';

export interface LibraryIpc {
  /** The numbers of all items that `query` means, in its order; the items follow page by page. */
  findInLibrary(query: LibraryQuery): Promise<number[]>;
  /** At most a thousand; those that are gone are left out. */
  libraryItems(ids: number[]): Promise<LibraryItem[]>;
  librarySummary(): Promise<LibrarySummary>;
  libraryDetails(id: number): Promise<LibraryDetails>;
  watchLibrary(onEvent: (event: LibraryEvent) => void): Promise<void>;
  /** Files, and all media below folders. */
  importToLibrary(paths: string[]): Promise<Imported>;
  setStars(ids: number[], stars: number): Promise<void>;
  changeTags(ids: number[], add: string[], remove: string[]): Promise<void>;
  renameItem(id: number, name: string): Promise<LibraryItem>;
  /** Rejects with `input_changed` where the file holds something else, unless `anyway`. */
  relinkItem(id: number, path: string, anyway: boolean): Promise<Done>;
  /** Looks for everything that is missing below a folder; events of `watchLibrary` tell how far it is. */
  findMissing(folder: string): Promise<Done>;
  /** Ends that search; what was found stays found. */
  stopSearch(): Promise<void>;
  deleteItems(ids: number[], fate: Fate): Promise<Done>;
  watchFolder(folder: string, watched: boolean): Promise<void>;
  revealItem(id: number): Promise<void>;
  /** Makes one picture of many; `onPart` hears the part that is done, 0 to 1. Nothing is written over. */
  makeSheet(wish: SheetWish, onPart: (part: number) => void): Promise<MadeSheet>;
  /** Nobody waits for a sheet any more: what is being made ends, and rejects with `cancelled`. */
  leaveSheet(): Promise<void>;
}

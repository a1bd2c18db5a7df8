/** `LibraryIpc` over Tauri's commands and channel. */
import { Channel } from '@tauri-apps/api/core';
import type { LibraryEvent } from './bindings/LibraryEvent';
import type { LibraryIpc } from './library';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

export function libraryTauri(call: Call): LibraryIpc {
  return {
    findInLibrary: (query) => call('find_in_library', { query }),
    libraryItems: (ids) => call('library_items', { ids }),
    librarySummary: () => call('library_summary'),
    libraryDetails: (id) => call('library_details', { id }),
    watchLibrary: (onEvent) => {
      const channel = new Channel<LibraryEvent>();
      channel.onmessage = onEvent;
      return call('watch_library', { channel });
    },
    importToLibrary: (paths) => call('import_to_library', { paths }),
    setStars: (ids, stars) => call('set_stars', { ids, stars }),
    changeTags: (ids, add, remove) => call('change_tags', { ids, add, remove }),
    renameItem: (id, name) => call('rename_item', { id, name }),
    relinkItem: (id, path, anyway) => call('relink_item', { id, path, anyway }),
    findMissing: (folder) => call('find_missing', { folder }),
    stopSearch: () => call('stop_search'),
    deleteItems: (ids, fate) => call('delete_items', { ids, fate }),
    watchFolder: (folder, watched) => call('watch_folder', { folder, watched }),
    revealItem: (id) => call('reveal_item', { id }),
    makeSheet: (wish, onPart) => {
      const channel = new Channel<number>();
      channel.onmessage = onPart;
      return call('make_sheet', { wish, channel });
    },
    leaveSheet: () => call('leave_sheet'),
  };
}

/** `PresetsIpc` over Tauri's commands and dialogs. */
import { open, save } from '@tauri-apps/plugin-dialog';
import type { PresetsIpc } from './presets';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

const FILTERS = [{ name: 'Frameloom', extensions: ['json'] }];

export function tauriPresets(call: Call): PresetsIpc {
  return {
    shelf: () => call('shelf'),
    savedFits: (info, span) => call('saved_fits', { info, span }),
    savePreset: (name, language, request, kind) => call('save_preset', { name, language, request, kind }),
    addPreset: (path) => call('add_preset', { path }),
    exportPreset: (id, to) => call('export_preset', { id, to }),
    removePreset: (id) => call('remove_preset', { id }),
    watchFolders: () => call('watch_folders'),
    putWatchFolder: (watch) => call('put_watch_folder', { watch }),
    removeWatchFolder: (folder) => call('remove_watch_folder', { folder }),
    choosePreset: (title) => open({ title, multiple: false, filters: FILTERS }),
    choosePresetSave: (title, suggested) => save({ title, defaultPath: suggested, filters: FILTERS }),
  };
}

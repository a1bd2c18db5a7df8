/** `PresetsIpc` without a program: the presets that ship, and a list of one's own. */
import type { MediaKind } from './bindings/MediaKind';
import type { PresetId } from './bindings/PresetId';
import type { PresetWords } from './bindings/PresetWords';
import type { SavedPreset } from './bindings/SavedPreset';
import type { WatchFolderView } from './bindings/WatchFolderView';
import type { PresetsIpc } from './presets';

interface PresetFile {
  id: string;
  words: Record<string, PresetWords>;
  picture?: string;
  takes?: MediaKind[];
  do?: PresetId;
}

const files = import.meta.glob<PresetFile>('../../../assets/shelf/*.json', { eager: true, import: 'default' });
const BOTH: MediaKind[] = ['video', 'still'];
const CLIPS: PresetId[] = ['voice', 'silence', 'steady', 'smooth', 'archive', 'loudness'];

function shipped(): SavedPreset[] {
  return Object.values(files).map(({ id, words, picture, takes, do: word }) => ({
    id,
    origin: 'shipped',
    words,
    picture: picture ?? null,
    takes: takes ?? (word && CLIPS.includes(word) ? ['video'] : BOTH),
    base: word ?? 'steps',
  }));
}

export function presetsFake(calls: string[], hasModels: boolean): PresetsIpc {
  let own: SavedPreset[] = [];
  let watched: WatchFolderView[] = [];
  const all = () => [...shipped(), ...own];
  return {
    shelf: async () => ({ presets: all(), refused: [] }),
    savedFits: async (info) =>
      all().map(({ id, takes }) => ({
        id,
        misfit: !takes.includes(info.kind)
          ? { reason: 'not_for_it' }
          : !hasModels && /faces|white|cut-out|sticker/.test(id)
            ? { reason: 'no_model' }
            : null,
      })),
    savePreset: async (name, language, request, kind) => {
      calls.push(`savePreset ${name} ${language} ${request.preset}`);
      const saved: SavedPreset = {
        id: name.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
        origin: 'own',
        words: { [language]: { name, about: '' } },
        picture: null,
        takes: [kind],
        base: request.preset,
      };
      own = [...own, saved];
      return saved;
    },
    addPreset: async (path) => {
      calls.push(`addPreset ${path}`);
      if (path.includes('broken')) {
        throw { code: 'invalid_request', message: 'This is no preset that can be used.', hint: null, details: null };
      }
      const saved: SavedPreset = { ...shipped()[0]!, id: 'shared', origin: 'own', words: { en: { name: 'Shared by Mai', about: 'As she does it.' } } };
      own = [...own, saved];
      return saved;
    },
    exportPreset: async (id, to) => void calls.push(`exportPreset ${id} ${to}`),
    removePreset: async (id) => {
      calls.push(`removePreset ${id}`);
      own = own.filter((preset) => preset.id !== id);
    },
    watchFolders: async () => watched,
    putWatchFolder: async (watch) => {
      calls.push(`watch ${watch.folder} ${watch.rule.preset} ${watch.rule.output} ${watch.enabled}`);
      if (watch.folder === watch.rule.output) {
        throw {
          code: 'invalid_request',
          message: 'The results cannot go where the files come from: they would be taken for new files.',
          hint: 'Name another folder for the results, or one below it.',
          details: null,
        };
      }
      const before = watched.find((view) => view.watch.folder === watch.folder);
      const view = { working: 1, done: 12, failed: 0, error: null, ...before, watch };
      watched = [...watched.filter((other) => other !== before), view];
    },
    removeWatchFolder: async (folder) => {
      calls.push(`unwatch ${folder}`);
      watched = watched.filter((view) => view.watch.folder !== folder);
    },
    choosePreset: async () => '/home/mai/Tải về/mai.frameloom-preset.json',
    choosePresetSave: async (_, suggested) => `/home/mai/${suggested}`,
  };
}

/** Presets of the shelf in the language of the window. */
import type { PresetWords } from '../ipc/bindings/PresetWords';
import type { SavedPreset } from '../ipc/bindings/SavedPreset';

/** Its words in `language`, or in English, or in whichever language it has. */
export function wordsOf({ id, words }: SavedPreset, language: string): PresetWords {
  return words[language] ?? words['en'] ?? Object.values(words)[0] ?? { name: id, about: '' };
}

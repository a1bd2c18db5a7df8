/** The language of the window. Reading `t` in a component follows a change of the language. */
import { format, type Arguments, type Key, type Messages } from './dictionary';
import { en } from './messages/en';
import { fr } from './messages/fr';
import { vi } from './messages/vi';

export const LANGUAGES = ['en', 'vi', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language by its own name: whoever looks for it reads it. */
export const LANGUAGE_NAMES: Record<Language, string> = {
  en: 'English',
  vi: 'Tiếng Việt',
  fr: 'Français',
};

export const MESSAGES: Record<Language, Messages> = { en, vi, fr };

let current = $state<Language>('en');

/** The language now. */
export function language(): Language {
  return current;
}

/** Switches the window to `choice`; `system` takes the first preferred language that exists. */
export function setLanguage(choice: Language | 'system', preferred: readonly string[]): void {
  current = choice === 'system' ? pickLanguage(preferred) : choice;
}

/** The first of `preferred` (BCP 47 tags) that there are messages for, or English. */
export function pickLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const base = tag.toLowerCase().split(/[-_]/)[0];
    const found = LANGUAGES.find((language) => language === base);
    if (found) return found;
  }
  return 'en';
}

/** The message `key` in the language of the window. */
export function t<K extends Key>(key: K, ...args: Arguments<K>): string {
  return format(MESSAGES[current][key], (args[0] ?? {}) as Record<string, string | number>, current);
}

/** Whether `key` names a message; for keys put together from a value of the program. */
export function hasMessage(key: string): key is Key {
  return Object.hasOwn(en, key);
}

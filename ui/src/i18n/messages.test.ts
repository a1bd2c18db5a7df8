import { describe, expect, it } from 'vitest';
import { format, type Plural } from './dictionary';
import { LANGUAGES, MESSAGES, pickLanguage } from './index.svelte';
import { bytes, clock, moment, percent, spoken } from './numbers';

const forms = (message: string | Plural): string[] => (typeof message === 'string' ? [message] : Object.values(message));
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe.each(LANGUAGES)('the messages in %s', (language) => {
  const messages = MESSAGES[language] as Record<string, string | Plural>;
  const english = MESSAGES.en as Record<string, string | Plural>;

  it('use the same values as the English ones', () => {
    for (const [key, message] of Object.entries(messages)) {
      const wanted = placeholders(forms(english[key] ?? '').at(-1) ?? '');
      for (const text of forms(message)) expect([key, placeholders(text)]).toEqual([key, wanted]);
    }
  });

  it('have every plural category of the language and none that it does not know', () => {
    const categories = [...new Intl.PluralRules(language).resolvedOptions().pluralCategories].sort();
    for (const [key, message] of Object.entries(messages)) {
      if (typeof message !== 'string') expect([key, Object.keys(message).sort()]).toEqual([key, categories]);
    }
  });

  it('have no text that is empty or begins or ends with a space', () => {
    for (const [key, message] of Object.entries(messages)) {
      for (const text of forms(message)) expect([key, text.trim() === text && text !== '']).toEqual([key, true]);
    }
  });
});

it('a number is written and its plural chosen in the way of the language', () => {
  const files = { one: '{count} file', other: '{count} files' };
  expect(format(files, { count: 1 }, 'en')).toBe('1 file');
  expect(format(files, { count: 1200 }, 'en')).toBe('1,200 files');
  expect(format({ one: '{count} fichier', other: '{count} fichiers' }, { count: 0 }, 'fr')).toBe('0 fichier');
});

it('the first preferred language that exists is taken', () => {
  expect(pickLanguage(['de-DE', 'vi-VN', 'fr'])).toBe('vi');
  expect(pickLanguage(['fr_CA'])).toBe('fr');
  expect(pickLanguage([])).toBe('en');
});

it('lengths and sizes read as people write them', () => {
  expect(clock(3_723_000_000)).toBe('1:02:03');
  expect(clock(-5)).toBe('0:00');
  expect(moment(12_330_000)).toBe('0:12.33');
  expect(percent(0.9999, 'en')).toBe('99%');
  expect(bytes(1_449_000, 'en')).toBe('1.4 MB');
  expect(bytes(999_999, 'en')).toBe('1 MB');
  expect(spoken(125_000_000, 'en')).toBe('2 minutes 5 seconds');
});

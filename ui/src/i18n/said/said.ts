/**
 * Sentences of the program in the language of the window. They come as codes with values, and in
 * English; what has no code are the words of somebody else (the system, a driver, a library, an older
 * version): they are quoted, and set as English.
 */
import type { Said } from '../../ipc/bindings/Said';
import type { SaidValue } from '../../ipc/bindings/SaidValue';
import type { Key } from '../dictionary';
import { language, MESSAGES, type Language } from '../index.svelte';
import { bytes, number } from '../numbers';
import { fr } from './fr';
import { vi } from './vi';
import type { SaidWords } from './words';

/** A stretch of text, and whether it is English whatever the language of the window is. */
export interface Part {
  text: string;
  english: boolean;
}

export const SAID: Record<Exclude<Language, 'en'>, SaidWords> = { vi, fr };

const MARKS: Record<Language, readonly [string, string]> = { en: ['“', '”'], vi: ['“', '”'], fr: ['« ', ' »'] };

const plainPart = (text: string): Part => ({ text, english: false });

/** The words of somebody else. */
function quoted(text: string): Part[] {
  const [before, behind] = MARKS[language()];
  return [plainPart(before), { text, english: true }, plainPart(behind)];
}

/** Puts parts into a template, in the places of its names. */
function filled(template: string, values: Readonly<Record<string, readonly Part[]>>): Part[] {
  const parts: Part[] = [];
  let rest = 0;
  for (const found of template.matchAll(/\{(\w+)\}/g)) {
    const value = values[found[1] ?? ''];
    if (value === undefined) continue;
    parts.push(plainPart(template.slice(rest, found.index)), ...value);
    rest = found.index + found[0].length;
  }
  parts.push(plainPart(template.slice(rest)));
  return parts.filter(({ text }) => text !== '');
}

function valueParts(value: SaidValue): Part[] {
  if (typeof value === 'number') return [plainPart(number(value, language()))];
  if (typeof value === 'string') return [plainPart(value)];
  if ('bytes' in value) return [plainPart(bytes(value.bytes, language()))];
  if ('digits' in value) return [plainPart(number(value.digits / 10 ** value.places, language(), value.places, value.places))];
  return saidParts(value);
}

/** Whether this, or something that it tells of, is what was said. */
export function says(said: Said | undefined, code: string): boolean {
  if (said === undefined) return false;
  return said.code === code || Object.values(said.values ?? {}).some((value) => typeof value === 'object' && 'text' in value && says(value, code));
}

/** What was said, as a part of a sentence. */
export function saidParts(said: Said): Part[] {
  const tongue = language();
  if (tongue === 'en') return [plainPart(said.text)];
  const words = SAID[tongue] as Readonly<Record<string, string>>;
  const template = said.code !== undefined && Object.hasOwn(words, said.code) ? words[said.code] : undefined;
  if (template === undefined) return quoted(said.text);
  const values = Object.entries(said.values ?? {}).map(([name, value]) => [name, valueParts(value)] as const);
  return filled(template, Object.fromEntries(values));
}

/** What was said, as a sentence: with a large letter and a full stop. */
export function sentence(said: Said): Part[] {
  const parts = saidParts(said);
  const [first] = parts;
  if (!first) return parts;
  const ends = /[.!?…][”»\s]*$/.test(plain(parts));
  const begun = first.english ? first : { ...first, text: first.text.charAt(0).toLocaleUpperCase(language()) + first.text.slice(1) };
  return [begun, ...parts.slice(1), ...(ends ? [] : [plainPart('.')])];
}

/** `said`, or `text` where the record is of a version that had only English. */
export const saidOr = (said: Said | undefined, text: string): Said => said ?? { text };

/** The message `key` with parts in it. */
export function tParts(key: Key, values: Readonly<Record<string, readonly Part[]>>): Part[] {
  const message = MESSAGES[language()][key];
  return filled(typeof message === 'string' ? message : message.other, values);
}

/** Parts where only a text can stand. */
export const plain = (parts: readonly Part[]): string => parts.map(({ text }) => text).join('');

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { setLanguage } from '../index.svelte';
import { plain, SAID, saidParts, sentence } from './said';

/** Every code of a `said!` in the sources of the program, with the English that stands behind it. */
function codes(): Map<string, string> {
  const found = new Map<string, string>();
  const crates = join(process.cwd(), '../src-tauri/crates');
  for (const name of readdirSync(crates, { recursive: true, encoding: 'utf8' })) {
    if (!/[/\\]src[/\\].*\.rs$/.test(name)) continue;
    // A code of a test has no translation.
    const [source = ''] = readFileSync(join(crates, name), 'utf8').split('#[cfg(test)]\nmod tests');
    const code = source.replace(/^\s*\/\/.*$/gm, '');
    for (const [, key, text] of code.matchAll(/said!\(\s*"([\w.]+)",\s*"((?:[^"\\]|\\.)*)"/g)) {
      if (key !== undefined && text !== undefined) found.set(key, text);
    }
    // None that the pattern above does not read.
    expect([name, code.match(/\bsaid!\(/g)?.length ?? 0]).toEqual([name, code.match(/said!\(\s*"[\w.]+",\s*"/g)?.length ?? 0]);
  }
  return found;
}

const names = (text: string) => [...text.matchAll(/(?<!\{)\{(\w+)\}/g)].map(([, name]) => name);

describe.each(Object.entries(SAID))('what the program says, in %s', (_, words) => {
  const all = codes();

  it('has every sentence of the program, and none that it does not say', () => {
    expect(all.size).toBeGreaterThan(300);
    expect(Object.keys(words).filter((code) => !all.has(code))).toEqual([]);
    expect([...all.keys()].filter((code) => !Object.hasOwn(words, code))).toEqual([]);
  });

  it('names nothing that the program does not tell', () => {
    for (const [code, text] of Object.entries(words)) {
      const known = names(all.get(code) ?? '');
      expect([code, names(text).filter((name) => !known.includes(name))]).toEqual([code, []]);
    }
  });

  it('begins and ends as the English one does, so that a sentence is one and a part of it is none', () => {
    for (const [code, text] of Object.entries(words)) {
      expect([code, text.endsWith('.'), text.trim()]).toEqual([code, all.get(code)?.endsWith('.'), text]);
    }
  });
});

afterEach(() => setLanguage('en', []));

it('a sentence is said in the language of the window, with the words of others as quotations in English', () => {
  const said = {
    code: 'node.cannot_run',
    text: 'the node `text` cannot run: the subtitles cannot be read: No such file',
    values: {
      node: 'text',
      reason: { code: 'node.subtitles', text: '', values: { error: { text: 'No such file' } } },
    },
  };
  expect(plain(sentence(said))).toMatch(/^The node `text` cannot run: .*\.$/);
  setLanguage('fr', []);
  expect(plain(sentence(said))).toBe(
    'Le nœud « text » ne peut pas s’exécuter : les sous-titres ne peuvent pas être lus : « No such file ».',
  );
  expect(saidParts(said).filter(({ english }) => english)).toEqual([{ text: 'No such file', english: true }]);
});

it('numbers and sizes are written in the way of the language', () => {
  setLanguage('fr', []);
  const said = { code: 'device.too_far', text: '', values: { db: { digits: 412, places: 1 }, least: { digits: 55, places: 0 } } };
  expect(plain(saidParts(said))).toContain('41,2 dB');
  expect(plain(saidParts({ code: 'disk.full', text: '', values: { path: '/a' } }))).toBe('le disque est plein : /a');
});

it('what has no words in the language is quoted whole, as that of older versions', () => {
  setLanguage('vi', []);
  expect(saidParts({ text: 'It is gone.' }).map(({ english }) => english)).toEqual([false, true, false]);
  expect(plain(sentence({ code: 'of.a.newer.version', text: 'It is gone.' }))).toBe('“It is gone.”');
});

import { expect, it } from 'vitest';
import { blocksOf, spansOf } from './markdown';

it('a card is taken apart into headings, paragraphs, lists, tables and code', () => {
  const blocks = blocksOf('# A **bold** name\n\nOne\ntwo.\n<!-- not\nthis -->\n- a\n  goes on\n- `b`\n\n```\nx | y\n```\n| k | v |\n|---|:-:|\n| 1 | 2 |\n');
  expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'paragraph', 'list', 'code', 'table']);
  expect(blocks[0]).toEqual({
    kind: 'heading',
    level: 1,
    spans: [
      { kind: 'plain', text: 'A ' },
      { kind: 'bold', text: 'bold' },
      { kind: 'plain', text: ' name' },
    ],
  });
  expect(blocks[1]).toEqual({ kind: 'paragraph', spans: [{ kind: 'plain', text: 'One two.' }] });
  expect(blocks[2]).toEqual({ kind: 'list', items: [[{ kind: 'plain', text: 'a goes on' }], [{ kind: 'code', text: 'b' }]] });
  expect(blocks[3]).toEqual({ kind: 'code', text: 'x | y' });
  expect(blocks[4]).toMatchObject({ head: [[{ text: 'k' }], [{ text: 'v' }]], rows: [[[{ text: '1' }], [{ text: '2' }]]] });
});

it('a table without names of columns has rows only', () => {
  const [table] = blocksOf('| | |\n|---|---|\n| network | small |');
  expect(table).toMatchObject({ kind: 'table', head: null, rows: [[[{ text: 'network' }], [{ text: 'small' }]]] });
});

it('of a link the text is kept, and a tag stays text', () => {
  expect(spansOf('see [the paper](http://x.example/) <b onclick=x>')).toEqual([
    { kind: 'plain', text: 'see ' },
    { kind: 'plain', text: 'the paper' },
    { kind: 'plain', text: ' <b onclick=x>' },
  ]);
});

it('whatever a card holds, it comes to an end', () => {
  for (const text of ['', '```', '|', '#', '- ', '<!--', '| a |\n', '#x\n##', '```\n', '# a\u2028b', ' - x']) expect(Array.isArray(blocksOf(text))).toBe(true);
});

/**
 * The little of Markdown that cards of models are written in, taken apart: headings, paragraphs,
 * lists, tables, code; in a line bold, code and links, of which the text is kept. Whatever else
 * there is stays as it was written. Nothing becomes HTML, so that a stranger's card cannot do
 * anything in the window.
 */
export interface Span {
  text: string;
  kind: 'plain' | 'bold' | 'code';
}
export type Block =
  | { kind: 'heading'; level: number; spans: Span[] }
  | { kind: 'paragraph'; spans: Span[] }
  | { kind: 'list'; items: Span[][] }
  | { kind: 'table'; head: Span[][] | null; rows: Span[][][] }
  | { kind: 'code'; text: string };

export function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  let from = 0;
  for (const found of text.matchAll(/\*\*(.+?)\*\*|`([^`]+)`|\[([^\]]+)\]\([^)]*\)/g)) {
    if (found.index > from) spans.push({ kind: 'plain', text: text.slice(from, found.index) });
    const [, bold, code, link] = found;
    if (bold !== undefined) spans.push({ kind: 'bold', text: bold });
    else if (code !== undefined) spans.push({ kind: 'code', text: code });
    else spans.push({ kind: 'plain', text: link ?? '' });
    from = found.index + found[0].length;
  }
  if (from < text.length) spans.push({ kind: 'plain', text: text.slice(from) });
  return spans;
}

const cellsOf = (line: string): Span[][] =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => spansOf(cell.trim()));

export function blocksOf(markdown: string): Block[] {
  const lines = markdown.replace(/<!--[\s\S]*?-->/g, '').split(/\r?\n/);
  const blocks: Block[] = [];
  let at = 0;
  /** The following lines that are of one kind. */
  const take = (is: (line: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && is(lines[at] ?? '')) at += 1;
    return lines.slice(from, at);
  };
  const isTable = (line: string) => line.trimStart().startsWith('|');
  const isItem = (line: string) => /^\s*[-*] /.test(line);
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const heading = /^(#{1,6})\s+([\s\S]*)$/.exec(line);
    if (line.trim() === '') at += 1;
    else if (heading) {
      blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, spans: spansOf(heading[2] ?? '') });
      at += 1;
    } else if (line.startsWith('```')) {
      at += 1;
      blocks.push({ kind: 'code', text: take((other) => !other.startsWith('```')).join('\n') });
      at += 1;
    } else if (isTable(line)) {
      const [head, rule, ...rows] = take(isTable).map(cellsOf);
      const ruled = rule?.every((cell) => /^:?-+:?$/.test(cell.map(({ text }) => text).join('')));
      const all = [head, ...(ruled ? [] : [rule]), ...rows].filter((row) => row !== undefined);
      const named = ruled && head?.some((cell) => cell.length > 0);
      blocks.push({ kind: 'table', head: named ? (all[0] ?? null) : null, rows: ruled ? all.slice(1) : all });
    } else if (isItem(line)) {
      // An item goes on with lines that are further in.
      const text = take((other) => isItem(other) || /^\s+\S/.test(other)).join('\n');
      const items = text.split(/^\s*[-*] /m).slice(1);
      blocks.push({ kind: 'list', items: items.map((item) => spansOf(item.replace(/\s+/g, ' ').trim())) });
    } else {
      const text = take((other) => other.trim() !== '' && !isTable(other) && !isItem(other) && !/^#{1,6}\s|^```/.test(other));
      blocks.push({ kind: 'paragraph', spans: spansOf(text.map((part) => part.trim()).join(' ')) });
    }
  }
  return blocks;
}

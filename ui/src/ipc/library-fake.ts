/** `LibraryIpc` without a program: a made-up library of any size, answered as the program does. */
import { folded } from '../state/folded';
import type { LibraryEvent } from './bindings/LibraryEvent';
import type { LibraryItem } from './bindings/LibraryItem';
import type { LibraryKind } from './bindings/LibraryKind';
import type { LibraryQuery } from './bindings/LibraryQuery';
import type { MediaInfo } from './bindings/MediaInfo';
import type { LibraryIpc } from './library';

const KINDS: LibraryKind[] = ['video', 'still', 'audio', 'subtitles'];
const ENDINGS: Record<LibraryKind, string[]> = {
  video: ['mp4', 'mov', 'mkv'],
  still: ['jpg', 'png', 'tiff'],
  audio: ['flac', 'mp3'],
  subtitles: ['srt'],
};
const SUBJECTS = ['Ngõ nhỏ Hà Nội', 'Hồ Xuân Hương', 'Plage à marée basse', 'Harbour at dawn', 'Chợ nổi Cái Răng', 'Élodie, essai', 'Đèo Hải Vân', 'Train de nuit'];
const FOLDERS = ['/home/mai/Phim/Đà Lạt', '/home/mai/Phim/Bretagne été', '/home/mai/Hình/2026'];
const NOW = Date.UTC(2026, 10, 22, 9, 30);

export interface LibraryFake extends LibraryIpc {
  readonly items: Map<number, LibraryItem>;
}

function madeUp(id: number): LibraryItem {
  const kind: LibraryKind = id % 11 === 5 ? 'audio' : id % 23 === 7 ? 'subtitles' : id % 3 === 0 ? 'still' : 'video';
  const made = kind !== 'audio' && kind !== 'subtitles' && id % 5 === 2;
  const ending = ENDINGS[kind][id % ENDINGS[kind].length] ?? 'bin';
  const name = `${SUBJECTS[id % SUBJECTS.length] ?? ''} ${id}${made ? '_2x' : ''}.${ending}`;
  const pictures = kind === 'video' || kind === 'still';
  return {
    id,
    path: `${FOLDERS[id % FOLDERS.length] ?? ''}/${name}`,
    kind,
    size_bytes: 90_000 + ((id * 7919) % 40_000) * (kind === 'video' ? 9000 : 300),
    modified_millis: NOW - id * 5_400_000,
    added_millis: NOW - id * 60_000,
    duration_micros: kind === 'video' || kind === 'audio' ? (5 + ((id * 37) % 600)) * 1_000_000 : null,
    width: pictures ? (made ? 1280 : 640) : null,
    height: pictures ? (made ? 720 : 360) : null,
    codec: { video: 'h264', still: ending === 'jpg' ? 'jpeg' : ending, audio: ending, subtitles: 'subrip' }[kind],
    made_by: made ? `fake-made-${id}` : null,
    stars: id % 7 === 0 ? 5 : id % 4 === 1 ? 3 : 0,
    tags: [...(id % 6 === 0 ? ['mùa hè'] : []), ...(id % 9 === 1 ? ['client Lefèvre', 'à revoir'] : [])],
    missing: id % 29 === 4,
    unreadable: id % 41 === 9,
    copies: id % 31 === 3 || id % 31 === 4 ? 2 : 1,
  };
}

function matches(item: LibraryItem, query: LibraryQuery, words: string[]): boolean {
  const tags = query.tags.length > 0 ? item.tags.map(folded) : [];
  // Folding a hundred thousand names takes longer than a database needs for the answer.
  const text = words.length > 0 ? folded(`${item.path.split('/').slice(-3).join('\n')}\n${item.tags.join('\n')}`) : '';
  return (
    words.every((word) => text.includes(word)) &&
    (query.kinds.length === 0 || query.kinds.includes(item.kind)) &&
    (query.origin === null || (query.origin === 'made') === (item.made_by !== null)) &&
    (query.model === null || item.made_by !== null) &&
    item.stars >= query.least_stars &&
    query.tags.every((tag) => tags.includes(folded(tag))) &&
    item.size_bytes >= (query.least_bytes ?? 0) &&
    item.size_bytes <= (query.most_bytes ?? Infinity) &&
    item.modified_millis >= (query.since_millis ?? -Infinity) &&
    item.modified_millis < (query.until_millis ?? Infinity) &&
    (!query.missing || item.missing) &&
    (!query.duplicates || item.copies > 1)
  );
}

const nameOf = (item: LibraryItem) => item.path.slice(item.path.lastIndexOf('/') + 1);

function inOrder(items: LibraryItem[], { sort, reversed }: LibraryQuery): LibraryItem[] {
  const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  const by: Record<LibraryQuery['sort'], (a: LibraryItem, b: LibraryItem) => number> = {
    added: (a, b) => b.added_millis - a.added_millis,
    name: (a, b) => names.compare(nameOf(a), nameOf(b)),
    modified: (a, b) => b.modified_millis - a.modified_millis,
    size: (a, b) => b.size_bytes - a.size_bytes,
    duration: (a, b) => (b.duration_micros ?? -1) - (a.duration_micros ?? -1),
    stars: (a, b) => b.stars - a.stars,
    kind: (a, b) => a.kind.localeCompare(b.kind) || names.compare(nameOf(a), nameOf(b)),
  };
  const ordered = items.sort((a, b) => by[sort](a, b) || b.id - a.id);
  return reversed ? ordered.reverse() : ordered;
}

export function libraryFake(count: number, calls: string[], infoOf: (path: string) => MediaInfo): LibraryFake {
  const items = new Map<number, LibraryItem>();
  for (let id = count; id >= 1; id -= 1) items.set(id, madeUp(id));
  const watched = new Set<string>();
  let next = 1_000_000;
  let listen: (event: LibraryEvent) => void = () => {};
  const change = (ids: number[], part: (item: LibraryItem) => Partial<LibraryItem>) => {
    for (const id of ids) {
      const item = items.get(id);
      if (item) items.set(id, { ...item, ...part(item) });
    }
    listen({ event: 'items', ids });
  };
  let searches = 0;
  let sheets = 0;
  const found = (id: number) => {
    const item = items.get(id);
    if (!item) throw { code: 'input_not_found', message: 'There is no such item in the library.', hint: null, details: null };
    return item;
  };
  const counted = (names: string[]) => {
    const counts = new Map<string, number>();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => ({ name, count }));
  };

  return {
    items,
    findInLibrary: async (query) => {
      const words = folded(query.text).split(/\s+/).filter(Boolean);
      return inOrder([...items.values()].filter((item) => matches(item, query, words)), query).map(({ id }) => id);
    },
    libraryItems: async (ids) => ids.flatMap((id) => items.get(id) ?? []),
    librarySummary: async () => {
      const all = [...items.values()];
      return {
        items: all.length,
        kinds: KINDS.map((kind) => all.filter((item) => item.kind === kind).length),
        made: all.filter((item) => item.made_by !== null).length,
        missing: all.filter((item) => item.missing).length,
        duplicates: all.filter((item) => item.copies > 1).length,
        tags: counted(all.flatMap((item) => item.tags)),
        models: counted(all.flatMap((item) => (item.made_by ? ['loom-x2-web'] : []))),
        unread: 0,
        unhashed: 0,
        watched: [...watched],
      };
    },
    libraryDetails: async (id) => {
      const item = found(id);
      const broken = item.missing || item.unreadable;
      return {
        item,
        info: broken ? null : infoOf(item.path),
        error: broken
          ? { code: item.missing ? 'input_not_found' : 'input_unreadable', message: `\`${item.path}\` cannot be read.`, hint: null, details: null }
          : null,
        exif:
          item.kind === 'still'
            ? [
                { name: 'camera', value: 'NIKON D750' },
                { name: 'taken', value: '2026-05-17 08:30:00' },
                { name: 'exposure', value: '1/250' },
                { name: 'aperture', value: '2.8' },
                { name: 'iso', value: '400' },
                { name: 'focal_length', value: '50' },
              ]
            : [],
        sha256: '5f0a'.repeat(16),
        job: null,
        made_from: item.made_by ? item.path.replace('_2x', '') : null,
        models: item.made_by ? ['loom-x2-web'] : [],
        copies: item.copies > 1 ? [`/home/mai/Sao lưu/${nameOf(item)}`] : [],
      };
    },
    watchLibrary: async (onEvent) => {
      listen = onEvent;
    },
    importToLibrary: async (paths) => {
      calls.push(`import ${paths.join(',')}`);
      const known = new Set([...items.values()].map((item) => item.path));
      const fresh = paths.filter((path) => !known.has(path));
      for (const path of fresh) {
        const still = /\.(png|jpe?g|webp|tiff?)$/i.test(path);
        next += 1;
        items.set(next, { ...madeUp(still ? 3 : 1), id: next, path, added_millis: Date.now(), tags: [], stars: 0 });
      }
      listen({ event: 'list' });
      return { added: fresh.length, known: paths.length - fresh.length, refused: [] };
    },
    setStars: async (ids, stars) => {
      calls.push(`stars ${ids.join(',')} ${stars}`);
      change(ids, () => ({ stars }));
    },
    changeTags: async (ids, add, remove) => {
      calls.push(`tags ${ids.join(',')} +${add.join(',')} -${remove.join(',')}`);
      change(ids, (item) => ({
        tags: [...new Set([...item.tags.filter((tag) => !remove.includes(tag)), ...add])].sort((a, b) => a.localeCompare(b)),
      }));
    },
    renameItem: async (id, name) => {
      const item = found(id);
      const path = `${item.path.slice(0, item.path.lastIndexOf('/'))}/${name}`;
      if (path !== item.path && [...items.values()].some((other) => other.path === path)) {
        throw { code: 'output_unwritable', message: `There is a file \`${path}\` already.`, hint: 'Choose another name.', details: null };
      }
      change([id], () => ({ path }));
      listen({ event: 'list' });
      return found(id);
    },
    relinkItem: async (id, path, anyway) => {
      if (path.includes('untagged') && !anyway) {
        throw { code: 'input_changed', message: `\`${path}\` holds something else than the file that is missing.`, hint: null, details: null };
      }
      calls.push(`relink ${id} ${path} ${anyway}`);
      change([id], () => ({ path, missing: false }));
      return { count: 1, refused: [] };
    },
    findMissing: async (folder) => {
      calls.push(`find missing ${folder}`);
      const run = ++searches;
      const lost = [...items.values()].filter((item) => item.missing).map((item) => item.id);
      const of = lost.length * 40;
      let count = 0;
      for (let looked = 0; looked < of && run === searches; looked += 20) {
        listen({ event: 'search', looked, of, found: count });
        await new Promise((resolve) => setTimeout(resolve, 60));
        // Every other file holds nothing that is missing.
        const id = lost[count];
        if (looked % 40 === 20 && id !== undefined && run === searches) {
          change([id], () => ({ missing: false }));
          count += 1;
        }
      }
      if (count > 0) listen({ event: 'list' });
      return { count, refused: [] };
    },
    stopSearch: async () => {
      calls.push('stop search');
      searches += 1;
    },
    deleteItems: async (ids, fate) => {
      calls.push(`delete ${ids.join(',')} ${fate}`);
      for (const id of ids) items.delete(id);
      listen({ event: 'list' });
      return { count: ids.length, refused: [] };
    },
    watchFolder: async (folder, on) => {
      if (on) watched.add(folder);
      else watched.delete(folder);
      listen({ event: 'list' });
    },
    revealItem: async (id) => {
      calls.push(`reveal item ${id}`);
    },
    makeSheet: async (wish, onPart) => {
      calls.push(`sheet ${JSON.stringify(wish)}`);
      const run = ++sheets;
      for (let done = 1; done <= wish.files.length; done += 1) {
        onPart(done / wish.files.length);
        await new Promise((resolve) => setTimeout(resolve, 40));
        if (run !== sheets) throw { code: 'cancelled', message: 'The sheet was stopped; nothing was written.', hint: null, details: null };
      }
      if (wish.output.includes('/nowhere')) {
        throw { code: 'output_unwritable', message: `\`${wish.output}\` cannot be written.`, hint: 'Choose another folder.', details: null };
      }
      const taken = new Set([...items.values()].map((item) => item.path));
      const [, stem = '', ending = ''] = /^(.*)(\.\w+)$/.exec(wish.output) ?? [];
      let path = wish.output;
      for (let number = 2; taken.has(path); number += 1) path = `${stem} (${number})${ending}`;
      next += 1;
      items.set(next, { ...madeUp(3), id: next, path, added_millis: Date.now(), tags: [], stars: 0 });
      listen({ event: 'list' });
      const unshown = wish.files
        .filter((file) => file.includes('Train de nuit'))
        .map((file) => ({ path: file, error: { code: 'input_unreadable' as const, message: `\`${file}\` cannot be read.`, hint: null, details: null } }));
      return { path, item: next, unshown };
    },
    leaveSheet: async () => {
      calls.push('leave sheet');
      sheets += 1;
    },
  };
}

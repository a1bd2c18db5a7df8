/** Sets the fake up from the address: `?files=/a/clip.mp4,/a/b.png&cut=/a/c.mp4&library=100000&theme=light&language=vi&tick=20`. */
import type { Clipboard } from './bindings/Clipboard';
import type { Settings } from './bindings/Settings';
import { fakeIpc, type FakeIpc } from './fake';

export function fakeFromAddress(search: string): FakeIpc {
  const query = new URLSearchParams(search);
  const files = query.get('files');
  const ipc = fakeIpc({
    files: files ? files.split(',') : [],
    cut: query.get('cut')?.split(',') ?? [],
    library: Number(query.get('library') ?? 0),
    waiting: query.get('waiting')?.split(',') ?? [],
    past: Number(query.get('past') ?? 0),
    recovery: query.has('recovery'),
    countdown: Number(query.get('countdown') ?? 60),
    clipboard: (query.get('clipboard') ?? 'nothing') as Clipboard,
    matting: query.get('matting') !== 'none',
    voice: query.get('voice') !== 'none',
    ears: query.has('ears'),
    tickMillis: Number(query.get('tick') ?? 90),
    stepFrames: Number(query.get('step') ?? 2),
    settings: {
      theme: (query.get('theme') ?? 'system') as Settings['theme'],
      language: (query.get('language') ?? 'system') as Settings['language'],
    },
  });
  Object.assign(window, { fakeIpc: ipc });
  return ipc;
}

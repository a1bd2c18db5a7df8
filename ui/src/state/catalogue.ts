/**
 * Every command of the window with its name and its usual keys. Places say elsewhere what they do
 * with them; they stand here so that all can be listed and changed, wherever one is.
 *
 * Keys are written as `Mod+Shift+K` (`Mod` is Ctrl, or Command on a Mac); the first is shown. A
 * single letter or sign is matched by what it types, so that `?` works on every keyboard.
 */
import type { PlainKey } from '../i18n/dictionary';

interface Entry {
  title: PlainKey;
  keys: readonly string[];
}

export const CATALOGUE = {
  'window.palette': { title: 'palette.open', keys: ['Mod+Shift+K', 'Mod+K'] },
  'window.shortcuts': { title: 'shortcuts.open', keys: ['?'] },

  'place.home': { title: 'command.place.home', keys: ['Mod+1'] },
  'place.library': { title: 'command.place.library', keys: ['Mod+2'] },
  'place.canvas': { title: 'command.place.canvas', keys: ['Mod+3'] },
  'place.queue': { title: 'command.place.queue', keys: ['Mod+4'] },
  'place.history': { title: 'command.place.history', keys: ['Mod+5'] },
  'place.models': { title: 'command.place.models', keys: ['Mod+6'] },
  'place.outgoing': { title: 'command.place.outgoing', keys: ['Mod+7'] },
  'place.account': { title: 'command.place.account', keys: ['Mod+8'] },
  'place.settings': { title: 'command.place.settings', keys: ['Mod+,'] },

  'files.add': { title: 'shortcut.add', keys: ['Mod+O'] },
  'files.addFolder': { title: 'add.folder', keys: ['Mod+Shift+O'] },

  'project.new': { title: 'project.new', keys: ['Mod+Shift+N'] },
  'project.open': { title: 'project.open', keys: ['Mod+Shift+F'] },
  'project.save': { title: 'project.save', keys: ['Mod+S'] },
  'project.saveAs': { title: 'project.saveAs', keys: ['Mod+Shift+S'] },
  'project.show': { title: 'project.show', keys: ['Mod+Shift+P'] },
  'project.collect': { title: 'project.collect', keys: ['Mod+Shift+C'] },
  'project.lock': { title: 'project.lock', keys: ['Mod+Shift+L'] },
  'project.verify': { title: 'project.verify', keys: ['Mod+Shift+V'] },

  'job.start': { title: 'shortcut.start', keys: ['Mod+Enter'] },
  'job.cancel': { title: 'shortcut.cancel', keys: ['Mod+Alt+Enter'] },

  'item.remove': { title: 'shortcut.remove', keys: ['Delete'] },
  'item.paste': { title: 'paste.command', keys: ['Mod+V'] },

  'player.toggle': { title: 'player.toggle', keys: ['Space'] },
  'player.back': { title: 'player.back', keys: ['J'] },
  'player.stop': { title: 'player.stop', keys: ['K'] },
  'player.on': { title: 'player.on', keys: ['L'] },
  'player.previous': { title: 'compare.previous', keys: [','] },
  'player.next': { title: 'compare.next', keys: ['.'] },
  'player.in': { title: 'player.in', keys: ['I'] },
  'player.out': { title: 'player.out', keys: ['O'] },
  'player.clear': { title: 'player.clear', keys: ['Alt+X'] },
  'player.mute': { title: 'player.mute', keys: ['M'] },
  'player.switch': { title: 'player.switch', keys: ['B'] },

  'compare.slider': { title: 'compare.mode.slider', keys: [] },
  'compare.side': { title: 'compare.mode.side', keys: [] },
  'compare.lens': { title: 'compare.mode.lens', keys: [] },
  'compare.difference': { title: 'compare.mode.difference', keys: [] },
  'compare.previous': { title: 'compare.previous', keys: [','] },
  'compare.next': { title: 'compare.next', keys: ['.'] },
  'compare.loop': { title: 'compare.loop', keys: ['Space'] },
  'compare.zoomIn': { title: 'compare.in', keys: ['+', '='] },
  'compare.zoomOut': { title: 'compare.out', keys: ['-'] },
  'compare.fit': { title: 'compare.fit', keys: ['0'] },
  'compare.full': { title: 'compare.zoom.full', keys: ['1'] },
  'compare.double': { title: 'compare.zoom.double', keys: ['2'] },

  'library.search': { title: 'library.search', keys: ['Mod+F', '/'] },
  'library.addFiles': { title: 'add.files', keys: [] },
  'library.addFolder': { title: 'add.folder', keys: [] },
  'library.all': { title: 'library.command.all', keys: ['Mod+A'] },
  'library.open': { title: 'library.enlarge', keys: ['E'] },
  'library.reveal': { title: 'library.reveal', keys: [] },
  'library.rename': { title: 'library.rename', keys: ['F2'] },
  'library.tag': { title: 'library.tag.add', keys: ['T'] },
  'library.relink': { title: 'library.relink', keys: [] },
  'library.findMissing': { title: 'library.findMissing', keys: [] },
  'library.sheet': { title: 'sheet.title', keys: [] },
  'library.delete': { title: 'library.delete', keys: ['Delete'] },
  'library.watch': { title: 'library.watch.title', keys: [] },
  'library.grid': { title: 'library.view.grid', keys: [] },
  'library.list': { title: 'library.view.list', keys: [] },
  'library.side': { title: 'library.side', keys: ['I'] },
  'library.filters': { title: 'library.filters', keys: [] },
  'library.stars0': { title: 'library.command.stars0', keys: ['0'] },
  'library.stars1': { title: 'library.command.stars1', keys: ['1'] },
  'library.stars2': { title: 'library.command.stars2', keys: ['2'] },
  'library.stars3': { title: 'library.command.stars3', keys: ['3'] },
  'library.stars4': { title: 'library.command.stars4', keys: ['4'] },
  'library.stars5': { title: 'library.command.stars5', keys: ['5'] },

  'canvas.run': { title: 'canvas.run', keys: ['Mod+Enter'] },
  'canvas.run_to': { title: 'canvas.run_to', keys: ['Shift+R'] },
  'canvas.preview': { title: 'canvas.preview', keys: ['Shift+P'] },
  'canvas.frame_back': { title: 'canvas.frame.back', keys: ['Alt+ArrowLeft'] },
  'canvas.frame_next': { title: 'canvas.frame.next', keys: ['Alt+ArrowRight'] },
  'canvas.undo': { title: 'canvas.undo', keys: ['Mod+Z'] },
  'canvas.redo': { title: 'canvas.redo', keys: ['Mod+Shift+Z', 'Mod+Y'] },
  'canvas.mute': { title: 'canvas.mute', keys: ['Mod+M'] },
  'canvas.bypass': { title: 'canvas.bypass', keys: ['Mod+B'] },
  'canvas.group': { title: 'canvas.group', keys: ['Mod+G'] },
  'canvas.ungroup': { title: 'canvas.ungroup', keys: ['Mod+Shift+G'] },
  'canvas.copy': { title: 'canvas.copy', keys: ['Mod+C'] },
  'canvas.cut': { title: 'canvas.cut', keys: ['Mod+X'] },
  'canvas.select_all': { title: 'canvas.select_all', keys: ['Mod+A'] },
  'canvas.remove': { title: 'canvas.remove.chosen', keys: ['Delete', 'Backspace'] },
  'canvas.tidy': { title: 'canvas.tidy', keys: ['Shift+T'] },
  'canvas.view': { title: 'canvas.view.switch', keys: ['Shift+L'] },
  'canvas.graphs': { title: 'canvas.graphs', keys: ['Mod+Shift+E'] },
  'canvas.new': { title: 'canvas.graphs.new', keys: [] },
  'canvas.faults': { title: 'canvas.faults.next', keys: ['F8'] },
  'canvas.add': { title: 'canvas.add', keys: ['Shift+A'] },
  'canvas.align.left': { title: 'canvas.align.left', keys: [] },
  'canvas.align.centre': { title: 'canvas.align.centre', keys: [] },
  'canvas.align.right': { title: 'canvas.align.right', keys: [] },
  'canvas.align.top': { title: 'canvas.align.top', keys: [] },
  'canvas.align.middle': { title: 'canvas.align.middle', keys: [] },
  'canvas.align.bottom': { title: 'canvas.align.bottom', keys: [] },
  'canvas.align.spread_x': { title: 'canvas.align.spread_x', keys: [] },
  'canvas.align.spread_y': { title: 'canvas.align.spread_y', keys: [] },
  'canvas.comment': { title: 'canvas.comment.add', keys: ['Shift+C'] },
  'canvas.fit': { title: 'canvas.fit', keys: ['.'] },
  'canvas.fit_selection': { title: 'canvas.fit.chosen', keys: ['Shift+F'] },
  'canvas.zoom_in': { title: 'canvas.zoom.in', keys: ['+', 'Mod+='] },
  'canvas.zoom_out': { title: 'canvas.zoom.out', keys: ['-', 'Mod+-'] },
  'canvas.zoom_whole': { title: 'canvas.zoom.whole', keys: ['1'] },
  'canvas.paste': { title: 'canvas.paste', keys: ['Mod+V'] },
  'canvas.duplicate': { title: 'canvas.duplicate', keys: ['Mod+D'] },

  'queue.selectAll': { title: 'queue.select_all', keys: ['Mod+A'] },
  'queue.selectNone': { title: 'queue.select_none', keys: ['Escape'] },
  'queue.pauseChosen': { title: 'queue.pause_job', keys: [] },
  'queue.resumeChosen': { title: 'job.resume', keys: [] },
  'queue.duplicate': { title: 'queue.duplicate', keys: ['Mod+D'] },
  'queue.cancel': { title: 'queue.cancel', keys: ['Delete'] },
  'queue.safer': { title: 'queue.retry_safer', keys: [] },
  'queue.edit': { title: 'queue.edit', keys: ['F2'] },
  'queue.up': { title: 'queue.up', keys: ['Alt+ArrowUp'] },
  'queue.down': { title: 'queue.down', keys: ['Alt+ArrowDown'] },
  'queue.top': { title: 'queue.top', keys: ['Alt+Home'] },
  'queue.bottom': { title: 'queue.bottom', keys: ['Alt+End'] },

  'history.search': { title: 'history.search', keys: ['Mod+F', '/'] },
  'history.show': { title: 'history.show', keys: [] },
  'history.again': { title: 'history.again', keys: ['Mod+R'] },
  'history.changes': { title: 'history.changes', keys: [] },
  'history.remove': { title: 'history.remove', keys: ['Delete'] },
} as const satisfies Record<string, Entry>;

export type CommandId = keyof typeof CATALOGUE;

/** All of them, in the order of the list. */
export const COMMAND_IDS = Object.keys(CATALOGUE) as CommandId[];

/** The groups in the order of the lists, by the name of the place they belong to. */
export const GROUPS: readonly { group: string; title: PlainKey }[] = [
  { group: 'window', title: 'keys.group.window' },
  { group: 'place', title: 'keys.group.place' },
  { group: 'files', title: 'keys.group.files' },
  { group: 'project', title: 'project.group' },
  { group: 'job', title: 'keys.group.job' },
  { group: 'item', title: 'place.home' },
  { group: 'player', title: 'keys.group.player' },
  { group: 'compare', title: 'keys.group.compare' },
  { group: 'library', title: 'place.library' },
  { group: 'canvas', title: 'place.canvas' },
  { group: 'queue', title: 'place.queue' },
  { group: 'history', title: 'place.history' },
];

/** What a command belongs to: the part of its name before the point. */
export function groupOf(id: CommandId): string {
  return id.slice(0, id.indexOf('.'));
}

/** What a group is there with; groups that are not named are always there. */
const THERE: Readonly<Record<string, readonly string[]>> = {
  job: ['player', 'compare'],
  item: ['player', 'compare'],
  // One shows the source, the other the result; never both.
  player: ['player'],
  compare: ['compare'],
  library: ['library'],
  canvas: ['canvas'],
  queue: ['queue'],
  history: ['history'],
};

/** Whether both can be meant by one key at the same time. */
export function meet(a: CommandId, b: CommandId): boolean {
  const [one, other] = [THERE[groupOf(a)], THERE[groupOf(b)]];
  return !one || !other || one.some((place) => other.includes(place));
}

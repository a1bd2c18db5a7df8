/**
 * The commands of the window as menus: for the button in the window, and for the menu bar on a Mac.
 * Both are made of the same list, so that neither knows a command that the other does not.
 */
import { t } from '../i18n/index.svelte';
import type { PlainKey } from '../i18n/dictionary';
import type { MenuEntry } from '../ipc/bindings/MenuEntry';
import type { MenuGroup } from '../ipc/bindings/MenuGroup';
import type { NativeAction } from '../ipc/bindings/NativeAction';
import type { TrayWords } from '../ipc/bindings/TrayWords';
import { COMMAND_IDS, GROUPS, groupOf, type CommandId } from './catalogue';
import { titleOf, type Command, type Commands } from './commands.svelte';

export interface CommandMenu {
  title: PlainKey;
  commands: readonly Command[];
}

/** Groups that share a menu, by the menu's name; the others have one each, named as they are. */
const FILE: readonly string[] = ['files', 'job', 'item'];
const VIEW: readonly string[] = ['player', 'compare'];
const LAST: readonly { title: PlainKey; groups: readonly string[] }[] = [
  { title: 'menu.view', groups: VIEW },
  { title: 'menu.go', groups: ['place'] },
  { title: 'menu.help', groups: ['window'] },
];

/** The menus of the commands that are there now; empty ones are left out. */
export function menusOf(there: readonly Command[]): CommandMenu[] {
  const latest = new Map(there.map((command) => [command.id, command]));
  const named = new Set([...FILE, ...LAST.flatMap(({ groups }) => groups)]);
  const own = GROUPS.filter(({ group }) => !named.has(group)).map(({ group, title }) => ({ title, groups: [group] }));
  return [{ title: 'menu.file' as const, groups: FILE }, ...own, ...LAST]
    .map(({ title, groups }) => ({
      title,
      commands: COMMAND_IDS.filter((id) => groups.includes(groupOf(id))).flatMap((id) => {
        const command = latest.get(id);
        // The palette does not list itself; a menu leads to it.
        return command && (!command.hidden || id === 'window.palette') ? [command] : [];
      }),
    }))
    .filter(({ commands }) => commands.length > 0);
}

const native = (action: NativeAction): MenuEntry => ({ kind: 'native', action, title: t(`menu.native.${action}`) });
const LINE: MenuEntry = { kind: 'line' };

/** The menu bar of a Mac. Its first menu is the program's own. */
export function menuBar(commands: Commands): MenuGroup[] {
  const entry = ({ id, enabled }: Command): MenuEntry => ({
    kind: 'command',
    id,
    title: titleOf(id),
    keys: commands.keysOf(id)[0] ?? null,
    enabled: enabled?.() !== false,
  });
  const menus = menusOf(commands.all).map(({ title, commands }) => ({ title: t(title), items: commands.map(entry) }));
  const settings = commands.all.findLast(({ id }) => id === 'place.settings');
  const [file, ...rest] = menus;
  const help = rest.pop();
  return [
    {
      title: t('app.name'),
      items: [...(settings ? [entry(settings), LINE] : []), native('hide'), native('hide_others'), native('show_all'), LINE, native('quit')],
    },
    ...(file ? [file] : []),
    {
      title: t('menu.edit'),
      items: [native('undo'), native('redo'), LINE, native('cut'), native('copy'), native('paste'), native('select_all')],
    },
    ...rest,
    { title: t('menu.window'), items: [native('minimise'), native('full_screen')] },
    ...(help ? [help] : []),
  ];
}

/** The words of the icon in the tray. */
export function trayWords(): TrayWords {
  return {
    show: t('tray.show'),
    add: t('tray.add'),
    pause: t('queue.pause'),
    resume: t('queue.resume'),
    quit: t('tray.quit'),
    idle: t('tray.idle'),
    // The number comes later.
    progress: t('tray.progress', { percent: '{percent}' }),
    paused: t('queue.paused'),
  };
}

/** Whether the system has a menu bar for programs; elsewhere the window has a button. */
export const hasMenuBar = (platform = navigator.platform): boolean => platform.startsWith('Mac');

/** A command by the id that came back from the system. */
export function commandOf(id: string): CommandId | null {
  return COMMAND_IDS.find((known) => known === id) ?? null;
}

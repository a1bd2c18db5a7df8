/** `ShellIpc` over Tauri's commands and events. */
import { listen } from '@tauri-apps/api/event';
import type { Opened } from './bindings/Opened';
import type { ShellIpc } from './shell';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

export function tauriShell(call: Call): ShellIpc {
  return {
    onOpened: async (handler) => {
      const fetch = async () => {
        const opened = await call<Opened>('take_opened');
        if (opened.files.length > 0 || opened.projects.length > 0) handler(opened);
      };
      // First the event, then what came before: nothing in between is lost.
      const stop = await listen('opened', () => void fetch());
      await fetch();
      return stop;
    },
    setMenus: (groups, words) => call('set_menus', { groups, words }),
    onCommandChosen: (handler) => listen<string>('command-chosen', ({ payload }) => handler(payload)),
    errorDetails: (error) => call('error_details', { error }),
    about: () => call('about'),
    kept: () => call('kept'),
    clearKept: (kind) => call('clear_kept', { kind }),
    revealKept: (kind) => call('reveal_kept', { kind }),
    modelCard: (id) => call('model_card', { id }),
    verifyModel: (id) => call('verify_model', { id }),
    repairModels: () => call('repair_models'),
    modelSpeeds: () => call('model_speeds'),
    measureModel: (id) => call('measure_model', { id }),
    revealModel: (id) => call('reveal_model', { id }),
  };
}

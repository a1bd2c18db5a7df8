/** Bringing files into the window by the system's dialogs. */
import { createContext } from 'svelte';
import { t } from '../i18n/index.svelte';
import { toAppError, type Ipc } from '../ipc/ipc';
import type { Studio } from './studio.svelte';

export interface Adding {
  files(): Promise<void>;
  folder(): Promise<void>;
}

export function adding(ipc: Ipc, studio: Studio): Adding {
  const ask = async (question: () => Promise<string[]>) => {
    try {
      await studio.add(await question());
    } catch (thrown) {
      studio.notice = toAppError(thrown);
    }
  };
  return {
    files: () => ask(() => ipc.chooseFiles(t('dialog.files'), t('dialog.media'))),
    folder: () =>
      ask(async () => {
        const folder = await ipc.chooseFolder(t('dialog.folder'));
        return folder === null ? [] : [folder];
      }),
  };
}

export const [useAdding, provideAdding] = createContext<Adding>();

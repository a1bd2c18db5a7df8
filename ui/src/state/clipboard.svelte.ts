/** What the clipboard holds, looked at whenever the window gets the focus: it changes elsewhere. */
import { createContext } from 'svelte';
import { language, t } from '../i18n/index.svelte';
import type { Clipboard as Held } from '../ipc/bindings/Clipboard';
import { toAppError, type Ipc } from '../ipc/ipc';
import type { Studio } from './studio.svelte';

export class Clipboard {
  holds = $state<Held>('nothing');

  constructor(
    private readonly ipc: Ipc,
    private readonly studio: Studio,
  ) {}

  async look(): Promise<void> {
    try {
      this.holds = await this.ipc.clipboard();
    } catch {
      // Nobody asked; who pastes is told.
      this.holds = 'nothing';
    }
  }

  /** Adds what is on the clipboard to the files that wait to be started. */
  async paste(): Promise<void> {
    const time = new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'medium' }).format(Date.now());
    try {
      await this.studio.add(await this.ipc.paste(t('paste.name', { time })));
    } catch (thrown) {
      this.studio.notice = toAppError(thrown);
    }
  }
}

export const [useClipboard, provideClipboard] = createContext<Clipboard>();

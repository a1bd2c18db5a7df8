/** `HomeIpc` over Tauri's commands. */
import type { HomeIpc } from './home';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

export function homeTauri(call: Call): HomeIpc {
  return {
    presets: () => call('presets'),
    presetFits: (info, span) => call('preset_fits', { info, span }),
    clipboard: () => call('clipboard'),
    paste: (name) => call('paste', { name }),
    clipSound: (wish) => call('clip_sound', { wish }),
    viewSilence: (request) => call('view_silence', { request }),
  };
}

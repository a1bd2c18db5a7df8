/** `ModelsIpc` over Tauri's commands. */
import { Channel } from '@tauri-apps/api/core';
import type { ModelsIpc } from './models';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

export function tauriModels(call: Call): ModelsIpc {
  return {
    lookAtModel: (file) => call('look_at_model', { file }),
    importModel: (request) => call('import_model', { request }),
    removeModel: (id) => call('remove_model', { id }),
    catalogue: () => call('catalogue'),
    getModel: (id, source, onProgress) => {
      const channel = new Channel<number>();
      channel.onmessage = onProgress;
      return call('get_model', { id, source, channel });
    },
    giveUpModel: (id) => call('give_up_model', { id }),
    outgoing: (before, limit) => call('outgoing', { before, limit }),
    outgoingHosts: () => call('outgoing_hosts'),
  };
}

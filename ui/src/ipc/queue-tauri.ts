/** `QueueIpc` over Tauri's commands and a channel. */
import { Channel } from '@tauri-apps/api/core';
import type { QueueEvent } from './bindings/QueueEvent';
import type { QueueIpc } from './queue';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

export function tauriQueue(call: Call): QueueIpc {
  return {
    queue: () => call('queue'),
    watchQueue: (onEvent) => {
      const channel = new Channel<QueueEvent>();
      channel.onmessage = onEvent;
      return call('watch_queue', { channel });
    },
    setQueueOptions: (options) => call('set_queue_options', { options }),
    moveJobs: (ids, before) => call('move_jobs', { ids, before }),
    answerLeftOver: (goOn) => call('answer_left_over', { goOn }),
    stopCountdown: () => call('stop_countdown'),
    retryJob: (id, how) => call('retry_job', { id, how }),
    duplicateJob: (id) => call('duplicate_job', { id }),
    editJob: (id, edit) => call('edit_job', { id, edit }),
    history: (query) => call('history', { query }),
    putAwayJob: (id) => call('put_away_job', { id }),
    takeOutJob: (id) => call('take_out_job', { id }),
    notify: (title, body) => call('notify', { title, body }),
  };
}

/** `Ipc` over Tauri's commands, channel and custom scheme. */
import { Channel, convertFileSrc, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { getCurrentWebview } from '@tauri-apps/api/webview';
import { open } from '@tauri-apps/plugin-dialog';
import type { JobEvent } from './bindings/JobEvent';
import { canvasTauri } from './canvas-tauri';
import { homeTauri } from './home-tauri';
import { toAppError, type Ipc } from './ipc';
import { libraryTauri } from './library-tauri';
import { tauriPresets } from './presets-tauri';
import { projectTauri } from './project-tauri';
import { tauriQueue } from './queue-tauri';
import { tauriModels } from './models-tauri';
import { tauriShell } from './shell-tauri';
import { SOUND_ENDINGS } from '../state/facts';

/** What the file dialog offers; dropping and "all files" take anything, and the probe decides. */
const MEDIA_EXTENSIONS = [
  'mp4', 'm4v', 'mov', 'mkv', 'webm', 'avi', 'mts', 'm2ts', 'ts', 'mpg', 'mpeg', 'mxf', 'ogv', 'wmv', 'flv', '3gp', 'y4m',
  'png', 'jpg', 'jpeg', 'webp', 'tif', 'tiff', 'avif', 'bmp', 'gif', 'heic', 'heif', 'exr', 'qoi', 'tga', 'ppm',
  ...SOUND_ENDINGS,
];

async function call<T>(command: string, args?: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(command, args);
  } catch (thrown) {
    throw toAppError(thrown);
  }
}

/** `loom://localhost/…`, or `http://loom.localhost/…` where the webview has no custom schemes. */
function loomUrl(what: string, query: Record<string, string>): string {
  return `${convertFileSrc(what, 'loom')}?${new URLSearchParams(query)}`;
}

export function tauriIpc(): Ipc {
  return {
    ...libraryTauri(call),
    ...tauriQueue(call),
    ...canvasTauri(call, loomUrl),
    ...homeTauri(call, loomUrl),
    ...tauriModels(call),
    ...tauriShell(call),
    ...tauriPresets(call),
    ...projectTauri(call),
    startFiles: () => call('start_files'),
    expandInputs: (paths) => call('expand_inputs', { paths }),
    probeMedia: (path) => call('probe_media', { path }),
    listModels: () => call('list_models'),
    planUpscale: (request) => call('plan_upscale', { request }),
    submitUpscale: (request) => call('submit_upscale', { request }),
    listJobs: () => call('list_jobs'),
    pauseJob: (id) => call('pause_job', { id }),
    resumeJob: (id) => call('resume_job', { id }),
    cancelJob: (id) => call('cancel_job', { id }),
    removeJob: (id) => call('remove_job', { id }),
    watchJobs: (onEvent) => {
      const channel = new Channel<JobEvent>();
      channel.onmessage = onEvent;
      return call('watch_jobs', { channel });
    },
    revealOutput: (id) => call('reveal_output', { id }),
    receipt: (id) => call('receipt', { id }),
    verifyOutput: (id) => call('verify_output', { id }),
    likeness: (id, atMicros) => call('job_likeness', { id, atMicros: Math.round(atMicros) }),
    soundOfBoth: (id) => call('job_sound', { id }),
    getSettings: () => call('get_settings'),
    setSettings: (settings) => call('set_settings', { settings }),
    lookAtMachine: () => call('look_at_machine'),
    onCloseAsked: (handler) => listen('close-asked', () => handler()),
    answerClose: (answer) => call('answer_close', { answer }),
    pageIsUp: () => call('page_is_up'),
    chooseFiles: async (title, filterName) => {
      const chosen = await open({
        title,
        multiple: true,
        filters: [
          { name: filterName, extensions: MEDIA_EXTENSIONS },
          { name: '*', extensions: ['*'] },
        ],
      });
      return chosen ?? [];
    },
    chooseFolder: (title) => open({ title, directory: true }),
    onFileDrop: (handlers) =>
      getCurrentWebview().onDragDropEvent(({ payload }) => {
        switch (payload.type) {
          case 'enter':
          case 'over':
            return handlers.over();
          case 'leave':
            return handlers.leave();
          case 'drop':
            return handlers.drop(payload.paths);
        }
      }),
    thumbnailUrl: (path, size) => loomUrl('thumbnail', { path, size: String(size) }),
    clipUrl: (path, atMicros, size, exact) =>
      loomUrl('clip', { path, at_micros: String(Math.round(atMicros)), size: String(size), exact: String(exact) }),
    frameUrl: (job, side, atMicros) =>
      loomUrl('frame', { job, side, at_micros: String(Math.round(atMicros)) }),
  };
}

/** `HomeIpc` over Tauri's commands. */
import { Channel } from '@tauri-apps/api/core';
import type { HomeIpc } from './home';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

function channelTo(onPart: (part: number) => void): Channel<number> {
  const channel = new Channel<number>();
  channel.onmessage = onPart;
  return channel;
}

export function homeTauri(call: Call, loomUrl: (what: string, query: Record<string, string>) => string): HomeIpc {
  return {
    presets: () => call('presets'),
    presetFits: (info, span) => call('preset_fits', { info, span }),
    clipboard: () => call('clipboard'),
    paste: (name) => call('paste', { name }),
    clipSound: (wish) => call('clip_sound', { wish }),
    viewSilence: (request) => call('view_silence', { request }),
    viewScenes: (request, onPart) => call('view_scenes', { request, channel: channelTo(onPart) }),
    saveScenes: (request, what, onPart) => call('save_scenes', { request, export: what, channel: channelTo(onPart) }),
    splitScenes: (request, onPart) => call('split_scenes', { request, channel: channelTo(onPart) }),
    leaveScenes: () => call('leave_scenes'),
    viewFaces: (request, onPart) => call('view_faces', { request, channel: channelTo(onPart) }),
    leaveFaces: () => call('leave_faces'),
    faceUrl: (key) => loomUrl('face', { key }),
  };
}

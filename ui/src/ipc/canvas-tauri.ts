/** `CanvasIpc` over Tauri's commands and dialogs. */
import { open, save } from '@tauri-apps/plugin-dialog';
import type { CanvasIpc } from './canvas';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

export function canvasTauri(call: Call, loomUrl: (what: string, query: Record<string, string>) => string): CanvasIpc {
  return {
    nodeKinds: () => call('node_kinds'),
    checkGraph: (graph) => call('check_graph', { graph }),
    canvasGraphs: () => call('canvas_graphs'),
    canvasGraph: (id) => call('canvas_graph', { id }),
    saveCanvas: (save) => call('save_canvas', { save }),
    removeCanvas: (id) => call('remove_canvas', { id }),
    canvasVersions: (id) => call('canvas_versions', { id }),
    canvasVersion: (id, savedMillis) => call('canvas_version', { id, savedMillis }),
    upscaleAsGraph: (request) => call('upscale_as_graph', { request }),
    jobAsGraph: (id) => call('job_as_graph', { id }),
    planGraph: (request) => call('plan_graph', { request }),
    submitGraph: (request) => call('submit_graph', { request }),
    viewNode: (request) => call('view_node', { request }),
    stopViewing: () => call('stop_viewing'),
    nodeUrl: (key) => loomUrl('node', { key }),
    chooseFile: (title, extensions) =>
      open({
        title,
        multiple: false,
        ...(extensions.length > 0 ? { filters: [{ name: extensions.join(', '), extensions: [...extensions] }] } : {}),
      }),
    chooseSave: (title, suggested) => save({ title, ...(suggested === null ? {} : { defaultPath: suggested }) }),
  };
}

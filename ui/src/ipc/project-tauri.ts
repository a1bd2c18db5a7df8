/** `ProjectIpc` over Tauri's commands, channels and dialogs. */
import { Channel } from '@tauri-apps/api/core';
import { open, save } from '@tauri-apps/plugin-dialog';
import type { ProjectProgress } from './bindings/ProjectProgress';
import type { OnProgress, ProjectIpc } from './project';

type Call = <T>(command: string, args?: Record<string, unknown>) => Promise<T>;

const FILTERS = [{ name: 'Frameloom', extensions: ['frameloom'] }];

export function projectTauri(call: Call): ProjectIpc {
  const told = (onProgress: OnProgress) => {
    const channel = new Channel<ProjectProgress>();
    channel.onmessage = onProgress;
    return channel;
  };
  return {
    openProject: (path, onProgress) => call('open_project', { path, channel: told(onProgress) }),
    saveProject: (save, onProgress) => call('save_project', { save, channel: told(onProgress) }),
    autosaveProject: (save) => call('autosave_project', { save }),
    projectRecoveries: () => call('project_recoveries'),
    recoverProject: (path, onProgress) => call('recover_project', { path, channel: told(onProgress) }),
    dropRecovery: (path) => call('drop_recovery', { path }),
    recentProjects: () => call('recent_projects'),
    forgetProject: (path) => call('forget_project', { path }),
    relinkProject: (path, role, file, anyway, onProgress) =>
      call('relink_project', { path, role, file, anyway, channel: told(onProgress) }),
    forecastCollect: (path, folder) => call('forecast_collect', { path, folder }),
    collectProject: (path, folder, onProgress) => call('collect_project', { path, folder, channel: told(onProgress) }),
    lockProject: (path, onProgress) => call('lock_project', { path, channel: told(onProgress) }),
    verifyProject: (path, onProgress) => call('verify_project', { path, channel: told(onProgress) }),
    stopProjectWork: () => call('stop_project_work'),
    chooseProject: (title) => open({ title, multiple: false, filters: FILTERS }),
    chooseProjectSave: (title, suggested) => save({ title, defaultPath: suggested, filters: FILTERS }),
  };
}

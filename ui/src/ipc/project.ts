/** The projects' half of the door. */
import type { Collected } from './bindings/Collected';
import type { CollectForecast } from './bindings/CollectForecast';
import type { OpenedProject } from './bindings/OpenedProject';
import type { ProjectProgress } from './bindings/ProjectProgress';
import type { ProjectRecovery } from './bindings/ProjectRecovery';
import type { ProjectSave } from './bindings/ProjectSave';
import type { ProjectSaved } from './bindings/ProjectSaved';
import type { ProjectVerification } from './bindings/ProjectVerification';
import type { RecentProject } from './bindings/RecentProject';

export type OnProgress = (progress: ProjectProgress) => void;

export interface ProjectIpc {
  /** Files that were copied are read once, to see whether they are the same. */
  openProject(path: string, onProgress: OnProgress): Promise<OpenedProject>;
  /** Files that were never read are read for their hashes, which takes its time. */
  saveProject(save: ProjectSave, onProgress: OnProgress): Promise<ProjectSaved>;
  /** Notes what is not saved, in the program's own folder. */
  autosaveProject(save: ProjectSave): Promise<void>;
  projectRecoveries(): Promise<ProjectRecovery[]>;
  /** A project as it was when the program ended. */
  recoverProject(path: string, onProgress: OnProgress): Promise<OpenedProject>;
  dropRecovery(path: string): Promise<void>;
  recentProjects(): Promise<RecentProject[]>;
  forgetProject(path: string): Promise<void>;
  relinkProject(path: string, role: string, file: string, anyway: boolean, onProgress: OnProgress): Promise<OpenedProject>;
  forecastCollect(path: string, folder: string): Promise<CollectForecast>;
  collectProject(path: string, folder: string, onProgress: OnProgress): Promise<Collected>;
  lockProject(path: string, onProgress: OnProgress): Promise<OpenedProject>;
  verifyProject(path: string, onProgress: OnProgress): Promise<ProjectVerification>;
  /** Stops what takes its time. */
  stopProjectWork(): Promise<void>;
  /** The system's dialogs; nothing chosen is `null`. */
  chooseProject(title: string): Promise<string | null>;
  chooseProjectSave(title: string, suggested: string): Promise<string | null>;
}

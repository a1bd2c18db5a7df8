/** The part of the door for what is around the page: menus, tray, files from outside, storage. */
import type { AppError } from './bindings/AppError';
import type { About } from './bindings/About';
import type { Kept } from './bindings/Kept';
import type { KeptKind } from './bindings/KeptKind';
import type { MenuGroup } from './bindings/MenuGroup';
import type { ModelEntry } from './bindings/ModelEntry';
import type { ModelSpeed } from './bindings/ModelSpeed';
import type { Opened } from './bindings/Opened';
import type { TrayWords } from './bindings/TrayWords';

export interface ShellIpc {
  /** Files and projects that come from a second start or from the system; those that came before, too. */
  onOpened(handler: (opened: Opened) => void): Promise<() => void>;
  /** Names for the menus of the system, in the language of the window. */
  setMenus(groups: MenuGroup[], words: TrayWords): Promise<void>;
  /** A command was chosen in a menu of the system. */
  onCommandChosen(handler: (id: string) => void): Promise<() => void>;
  /** A failure as it can be sent to somebody: with the last lines of the log, without paths and names. */
  errorDetails(error: AppError): Promise<string>;
  about(): Promise<About>;
  /** What the program keeps on this machine. */
  kept(): Promise<Kept[]>;
  clearKept(kind: KeptKind): Promise<void>;
  /** Shows its folder in the file manager. */
  revealKept(kind: KeptKind): Promise<void>;
  /** What the makers of a model say of it, in Markdown. */
  modelCard(id: string): Promise<string | null>;
  /** Reads the model and holds its weights against their hash. */
  verifyModel(id: string): Promise<ModelEntry>;
  /** Puts the models that come with the program back as they came. */
  repairModels(): Promise<ModelEntry[]>;
  /** What was measured before, by model. */
  modelSpeeds(): Promise<Record<string, ModelSpeed>>;
  /** Takes seconds. */
  measureModel(id: string): Promise<ModelSpeed>;
  revealModel(id: string): Promise<void>;
}

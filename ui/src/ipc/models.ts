/** The part of the door for models of the user and of the catalogue, and for what left the computer. */
import type { CatalogueView } from './bindings/CatalogueView';
import type { ModelEntry } from './bindings/ModelEntry';
import type { ModelImport } from './bindings/ModelImport';
import type { ModelManifest } from './bindings/ModelManifest';
import type { ModelSource } from './bindings/ModelSource';
import type { OnnxParams } from './bindings/OnnxParams';
import type { Outgoing } from './bindings/Outgoing';

export interface ModelsIpc {
  /** What an ONNX file is found to be, by trying it on a picture. Takes seconds; nothing is installed. */
  lookAtModel(file: OnnxParams): Promise<ModelManifest>;
  /** Copies it into the data folder, under a name. */
  importModel(request: ModelImport): Promise<ModelEntry>;
  /** Those that are left. */
  removeModel(id: string): Promise<ModelEntry[]>;
  /** Models that can be fetched. */
  catalogue(): Promise<CatalogueView>;
  /** Fetches one; `onProgress` is told how many bytes are there. */
  getModel(id: string, source: ModelSource, onProgress: (doneBytes: number) => void): Promise<ModelEntry>;
  /** Ends a fetch, which then rejects as cancelled; what came is kept. */
  giveUpModel(id: string): Promise<void>;
  /** What left this computer, the newest first: entries before the number `before` alone. */
  outgoing(before: number | null, limit: number): Promise<Outgoing[]>;
  /** The hosts that may be spoken to without being named by the user. */
  outgoingHosts(): Promise<string[]>;
}

/** The canvas's half of the door. */
import type { CanvasEntry } from './bindings/CanvasEntry';
import type { CanvasGraph } from './bindings/CanvasGraph';
import type { CanvasSave } from './bindings/CanvasSave';
import type { CanvasVersion } from './bindings/CanvasVersion';
import type { Fault } from './bindings/Fault';
import type { GraphPlan } from './bindings/GraphPlan';
import type { GraphRequest } from './bindings/GraphRequest';
import type { Job } from './bindings/Job';
import type { JobSpec } from './bindings/JobSpec';
import type { NodeKind } from './bindings/NodeKind';
import type { NodeView } from './bindings/NodeView';
import type { UpscaleRequest } from './bindings/UpscaleRequest';
import type { ViewRequest } from './bindings/ViewRequest';

export interface CanvasIpc {
  /** Every operation that a node can have, with its ports and the schema of its parameters. */
  nodeKinds(): Promise<NodeKind[]>;
  /** Everything that keeps a graph from running; the graph may be unfinished in any way. */
  checkGraph(graph: unknown): Promise<Fault[]>;
  /** Saved documents, the one that was changed last first. */
  canvasGraphs(): Promise<CanvasEntry[]>;
  canvasGraph(id: string): Promise<CanvasGraph>;
  saveCanvas(save: CanvasSave): Promise<CanvasEntry>;
  removeCanvas(id: string): Promise<void>;
  canvasVersions(id: string): Promise<CanvasVersion[]>;
  /** A document as it was. */
  canvasVersion(id: string, savedMillis: number): Promise<unknown>;
  /** What would be submitted, as a graph to go on from. */
  upscaleAsGraph(request: UpscaleRequest): Promise<JobSpec>;
  jobAsGraph(id: string): Promise<JobSpec>;
  planGraph(request: GraphRequest): Promise<GraphPlan>;
  submitGraph(request: GraphRequest): Promise<Job>;
  /** What comes out at the end of a graph at a moment. A newer request ends the one before it, which then is `cancelled`. */
  viewNode(request: ViewRequest): Promise<NodeView>;
  /** Nobody waits for the picture at hand any more. */
  stopViewing(): Promise<void>;
  /** Address for `<img>` of a picture that `viewNode` named. */
  nodeUrl(key: string): string;
  /** The system's dialogs; nothing chosen is `null`. Without extensions any file is offered. */
  chooseFile(title: string, extensions: readonly string[]): Promise<string | null>;
  chooseSave(title: string, suggested: string | null): Promise<string | null>;
}

/** A node that is about to be added: where, and on which end of a wire. */
import type { PortKind } from '../../ipc/bindings/PortKind';
import type { Point } from '../../state/canvas/edits';

export interface Adding {
  /** In pixels of the window; `null` for the middle. */
  screen: Point | null;
  /** In pixels of the canvas. */
  at: Point;
  end: { node: string; port: string; side: 'inputs' | 'outputs'; flows: PortKind } | null;
}

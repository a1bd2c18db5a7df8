/** Faces that stay visible in what is redacted. */
import type { FacesView } from '../ipc/bindings/FacesView';
import type { UpscaleRequest } from '../ipc/bindings/UpscaleRequest';

export interface Faces {
  faces: FacesView | null;
  facesBasis: string;
  visible: ReadonlySet<number>;
}

/** All of a request that decides which faces are found, and when they are seen. */
export function facesBasis({ preset, input, span, model, deinterlace, redact }: UpscaleRequest): string {
  const { what, threshold, search, spare } = redact ?? {};
  return JSON.stringify([preset, input, span, model, deinterlace, what, threshold, search, spare]);
}

/** The ways of the faces that stay visible; `null` where none does, or they are not those of this request. */
export function keptFaces({ faces, facesBasis: basis, visible }: Faces, request: UpscaleRequest): string | null {
  if (faces === null || request.preset !== 'redact' || basis !== facesBasis(request)) return null;
  const kept = faces.faces.filter(({ number }) => visible.has(number));
  return kept.length === 0 ? null : kept.map(({ keep }) => keep).join('\n\n');
}

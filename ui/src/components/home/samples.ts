/** The sample pictures of the cards, by preset. They are made by `cargo xtask preset-samples`. */
import type { PresetId } from '../../ipc/bindings/PresetId';
import facts from '../../../../assets/presets/samples.json';

const files = import.meta.glob<string>('../../../../assets/presets/*.{webp,png}', { eager: true, query: '?url', import: 'default' });

function file(name: string): string | null {
  const found = Object.entries(files).find(([path]) => path.endsWith(`/${name}`));
  return found?.[1] ?? null;
}

export interface SampleOf {
  before: string;
  after: string;
  /** An animation that is shown instead of the second picture while the card is looked at. */
  moving: string | null;
  /** Sizes of the files that the pictures are of, where those tell something. */
  bytes: readonly [number, number] | null;
}

/** The sample of a preset. */
export function sampleOf(id: PresetId): SampleOf | null {
  const [before, after] = [file(`${id}-before.webp`), file(`${id}-after.webp`)];
  if (before === null || after === null) return null;
  const sizes = (facts as Partial<Record<PresetId, { before_bytes: number; after_bytes: number }>>)[id];
  return { before, after, moving: file(`${id}-moving.webp`), bytes: sizes ? [sizes.before_bytes, sizes.after_bytes] : null };
}

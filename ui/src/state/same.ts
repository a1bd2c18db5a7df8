/**
 * Whether two values of JSON hold the same, in whatever order their fields are. Documents share what
 * no edit touched, so that most of them is known to be the same without looking.
 */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  // A field without a value is none: it does not survive a file.
  const keys = (of: Record<string, unknown>) => Object.keys(of).filter((key) => of[key] !== undefined);
  const [ones, others] = [keys(one), keys(other)];
  return ones.length === others.length && ones.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]));
}

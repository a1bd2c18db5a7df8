/** Which rows of a long list are worth having in the page: all of one height, so that it is plain arithmetic. */
export interface Rows {
  /** The first row to have. */
  from: number;
  /** The row after the last one. */
  to: number;
}

/** Rows `from..to` for a view of `height` pixels at `top`, with `spare` more before and after. */
export function rowsInView(top: number, height: number, rowHeight: number, rows: number, spare: number): Rows {
  if (rowHeight <= 0 || rows <= 0) return { from: 0, to: 0 };
  const first = Math.min(rows - 1, Math.max(0, Math.floor(top / rowHeight)));
  const last = Math.min(rows, Math.max(0, Math.ceil((top + height) / rowHeight)));
  return { from: Math.max(0, first - spare), to: Math.min(rows, Math.max(first + 1, last) + spare) };
}

/** Where to scroll so that a row is seen whole, with as little movement as that takes. */
export function scrolledTo(row: number, top: number, height: number, rowHeight: number, covered = 0): number {
  const begin = row * rowHeight;
  const end = begin + rowHeight;
  if (begin < top) return begin;
  if (end > top + height - covered) return end - height + covered;
  return top;
}

/** The columns that fit beside each other in `width` pixels, each at least `least` wide. */
export function columnsIn(width: number, least: number, gap: number): number {
  return Math.max(1, Math.floor((width + gap) / (least + gap)));
}

import type { vi } from './vi';

/** What every language but English has: English is what the program says by itself. */
export type SaidWords = Record<keyof typeof vi, string>;

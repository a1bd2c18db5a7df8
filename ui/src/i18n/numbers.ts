/** Numbers, lengths and sizes as a person reads them, by `Intl`. */
import { numberFormat } from './formats';

/** `12.4`, with at most `digits` decimals and at least `least` of them. */
export function number(value: number, locale: string, digits = 0, least = 0): string {
  const decimals = { minimumFractionDigits: least, maximumFractionDigits: digits };
  return numberFormat(locale, decimals).format(value);
}

/** `42 %`, rounded down, so that 100 % means done. `fraction` is 0 to 1. */
export function percent(fraction: number, locale: string): string {
  const whole = Math.floor(Math.min(1, Math.max(0, fraction)) * 100);
  return numberFormat(locale, { style: 'percent' }).format(whole / 100);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** `1.4 GB`, in powers of 1000 as disks and file managers count. */
export function bytes(value: number, locale: string): string {
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return numberFormat(locale, {
    style: 'unit',
    unit: UNITS[unit] ?? 'byte',
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: rest < 9.95 && unit > 0 ? 1 : 0,
  }).format(rest);
}

/** A length as a clock shows it: `0:07`, `12:30`, `1:02:03`. */
export function clock(micros: number): string {
  const seconds = Math.max(0, Math.floor(micros / 1_000_000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

/** A moment to the hundredth of a second: `0:07.32`. */
export function moment(micros: number): string {
  const hundredths = Math.floor(Math.max(0, micros) / 10_000) % 100;
  return `${clock(micros)}.${String(hundredths).padStart(2, '0')}`;
}

/** A length in words for a screen reader: `2 minutes 5 seconds`. */
export function spoken(micros: number, locale: string): string {
  const seconds = Math.max(0, Math.round(micros / 1_000_000));
  const part = (value: number, unit: string) =>
    numberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  if (hours > 0) return `${part(hours, 'hour')} ${part(minutes, 'minute')}`;
  if (minutes > 0) return `${part(minutes, 'minute')} ${part(seconds % 60, 'second')}`;
  return part(seconds, 'second');
}

/** Making a format takes longer than using it a hundred times, and lists of days are long. */
const days = new Map<string, Intl.DateTimeFormat>();

/** A day: `22 Nov 2026`, in the order of the language; `timed` adds the hour and minute. */
export function day(millis: number, locale: string, timed = false): string {
  const key = `${locale} ${timed}`;
  const format = days.get(key) ?? new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: timed ? 'short' : undefined });
  days.set(key, format);
  return format.format(millis);
}

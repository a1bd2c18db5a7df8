/** Lengths and moments of which nobody needs every second. */
import { numberFormat } from './formats';

/** A length that is only foreseen: `40 sec`, `12 min`, `1 hr 20 min`; rounded up, never to nothing. */
export function about(micros: number, locale: string): string {
  const part = (value: number, unit: string) =>
    numberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
  const seconds = Math.max(1, micros / 1_000_000);
  if (seconds <= 55) return part(Math.ceil(seconds / 5) * 5, 'second');
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return part(minutes, 'minute');
  const rest = minutes % 60;
  const hours = part(Math.floor(minutes / 60), 'hour');
  return rest === 0 ? hours : `${hours} ${part(rest, 'minute')}`;
}

/** A moment: the time alone today, the day as well before; all of it with `full`. */
export function when(millis: number, locale: string, style: 'short' | 'full' = 'short', now = Date.now()): string {
  const date = new Date(millis);
  if (style === 'full') return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(date);
  const today = new Date(now);
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' };
  if (date.toDateString() === today.toDateString()) return new Intl.DateTimeFormat(locale, time).format(date);
  const year: Intl.DateTimeFormatOptions = date.getFullYear() === today.getFullYear() ? time : { year: 'numeric' };
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', ...year }).format(date);
}

/**
 * Types of the message files, and the pure part of looking a message up.
 *
 * An own dictionary of sixty lines instead of a message compiler: plain files, no generated code,
 * no build step, and the type checker already refuses a missing key and a missing value.
 */
import { numberFormat, pluralRules } from './formats';
import type { en } from './messages/en';

/** Plural categories of CLDR; `other` always exists. */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

export type Key = keyof typeof en;

/** What every language has to provide: the same keys, plurals where English has plurals. */
export type Messages = { [K in Key]: (typeof en)[K] extends string ? string : Plural };

type Placeholder<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholder<Rest> : never;
type TextOf<M> = M extends string ? M : M[keyof M];

/** The values that a message needs; `count` of a plural is a number. */
export type Values<K extends Key> = {
  [Name in Placeholder<TextOf<(typeof en)[K]>>]: Name extends 'count' ? number : string | number;
};

/** The second argument of `t`: absent where the message has no placeholder. */
export type Arguments<K extends Key> = keyof Values<K> extends never ? [] : [values: Values<K>];

/** Keys of messages that need no values: a name that can be shown anywhere. */
export type PlainKey = { [K in Key]: keyof Values<K> extends never ? K : never }[Key];

/** Puts `values` into a message; numbers are written in the way of `locale`. */
export function format(
  message: string | Plural,
  values: Record<string, string | number>,
  locale: string,
): string {
  let text: string;
  if (typeof message === 'string') {
    text = message;
  } else {
    const rule = pluralRules(locale).select(Number(values['count'] ?? 0));
    text = message[rule] ?? message.other;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? numberFormat(locale).format(value) : value;
  });
}

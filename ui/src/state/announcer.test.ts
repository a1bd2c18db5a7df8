import { expect, it } from 'vitest';
import { Announcer } from './announcer';

it('says progress at most once in its interval and a change of state at once', () => {
  const said: string[] = [];
  let now = 0;
  const announcer = new Announcer((text) => said.push(text), () => now, 10_000);
  announcer.progress('a', () => '1 %');
  now = 5_000;
  announcer.progress('a', () => '2 %');
  announcer.progress('b', () => 'other 1 %');
  announcer.state('a', 'paused');
  now = 10_500;
  announcer.progress('a', () => '3 %');
  now = 15_000;
  announcer.progress('a', () => '4 %');
  expect(said).toEqual(['1 %', 'other 1 %', 'paused', '4 %']);
});

import { expect, it, vi } from 'vitest';
import { fakeIpc } from '../ipc/fake';
import { EVERYTHING, Library } from './library.svelte';

async function opened(items = 1000) {
  const ipc = fakeIpc({ library: items });
  const errors: unknown[] = [];
  const library = new Library(ipc, (error) => errors.push(error));
  await library.open();
  return { ipc, library, errors };
}

it('a long list is known whole, and only what is shown of it is fetched', async () => {
  const { ipc, library } = await opened(100_000);
  const asked = vi.spyOn(ipc, 'libraryItems');
  expect(library.ids).toHaveLength(100_000);
  library.show(50_010, 50_040);
  await vi.waitFor(() => expect(library.at(50_020)).not.toBeNull());
  expect(asked).toHaveBeenCalledTimes(1);
  expect(asked.mock.calls[0]?.[0]).toHaveLength(100);
  expect(library.at(0)).toBeNull();
  library.show(50_020, 50_050);
  await Promise.resolve();
  expect(asked).toHaveBeenCalledTimes(1);
});

it('the last question is answered, even if an earlier one takes longer', async () => {
  const { ipc, library } = await opened(50);
  const real = ipc.findInLibrary.bind(ipc);
  let answerSlow = () => {};
  ipc.findInLibrary = (query) =>
    query.text === 'slow' ? new Promise((done) => (answerSlow = () => void real(EVERYTHING).then(done))) : real(query);
  const slow = library.ask({ text: 'slow' });
  await library.ask({ text: 'nothing has this name' });
  answerSlow();
  await slow;
  expect(library.ids).toEqual([]);
});

it('a range is chosen from where the last choice began, and a toggle leaves the rest alone', async () => {
  const { library } = await opened(50);
  library.choose(3);
  library.choose(6, { range: true });
  expect([...library.chosen]).toEqual(library.ids.slice(3, 7));
  library.choose(5, { range: true });
  expect([...library.chosen]).toEqual(library.ids.slice(3, 6));
  library.choose(20, { toggle: true });
  library.choose(4, { toggle: true });
  expect(library.chosen.size).toBe(3);
  expect(library.chosen.has(library.ids[4] ?? 0)).toBe(false);
  library.move(7, { range: true });
  expect(library.active).toBe(7);
  library.chooseAll();
  expect(library.chosen.size).toBe(50);
});

it('what is no longer on the list is no longer chosen', async () => {
  const { library } = await opened(50);
  library.chooseAll();
  await library.ask({ kinds: ['audio'] });
  expect(library.chosen.size).toBe(library.ids.length);
  expect(library.ids.length).toBeLessThan(50);
});

it('a change that the program tells is seen, and the place of the keyboard stays with its item', async () => {
  const { ipc, library } = await opened(50);
  library.show(0, 10);
  await vi.waitFor(() => expect(library.at(2)).not.toBeNull());
  library.choose(2);
  const id = library.ids[2] ?? 0;
  await ipc.setStars([id], 5);
  await vi.waitFor(() => expect(library.at(2)?.stars).toBe(5));
  await ipc.importToLibrary(['/new/one.mp4']);
  await vi.waitFor(() => expect(library.ids).toHaveLength(51));
  expect(library.ids[library.active]).toBe(id);
});

it('what the program refuses is said', async () => {
  const { ipc, library, errors } = await opened(5);
  ipc.importToLibrary = async () => ({ added: 0, known: 0, refused: [{ code: 'input_not_found', message: 'gone', hint: null, details: null }] });
  await library.import(['/gone']);
  expect(errors).toHaveLength(1);
  expect(library.importing).toBe(0);
  const [first, second] = library.ids;
  library.show(0, 5);
  await vi.waitFor(() => expect(library.at(0)).not.toBeNull());
  const taken = library.known(second ?? 0)?.path.split('/').at(-1) ?? '';
  const folder = (path: string | undefined) => path?.slice(0, path.lastIndexOf('/'));
  const sameFolder = folder(library.known(first ?? 0)?.path) === folder(library.known(second ?? 0)?.path);
  const error = await library.rename(first ?? 0, taken);
  expect(error?.code ?? null).toBe(sameFolder ? 'output_unwritable' : null);
});

it('a range begins with the item that was chosen, wherever the list has put it meanwhile', async () => {
  const { ipc, library } = await opened(20);
  library.choose(5);
  const begun = library.ids[5];
  const found = await ipc.findInLibrary(EVERYTHING);
  ipc.findInLibrary = async () => [9999, ...found];
  await library.ask({});
  expect(library.ids.indexOf(begun ?? 0)).toBe(6);
  library.choose(8, { range: true });
  expect([...library.chosen]).toEqual(library.ids.slice(6, 9));
});

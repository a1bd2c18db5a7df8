import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import App from './App.svelte';
import { fakeIpc, type FakeOptions } from './ipc/fake';

function open(options: FakeOptions) {
  const ipc = fakeIpc({ settings: { language: 'en' }, tickMillis: 10, stepFrames: 400, ...options });
  render(App, { ipc });
  return { ipc, user: userEvent.setup() };
}

it('leads from an empty window to a result with the keyboard alone', async () => {
  const { ipc, user } = open({ chosen: ['/films/quiet lane.mp4'] });
  const choose = await screen.findByRole('button', { name: 'Choose files…' });
  for (let presses = 0; document.activeElement !== choose; presses += 1) {
    expect(presses).toBeLessThan(20);
    await user.tab();
  }
  await user.keyboard('{Enter}');
  expect(await screen.findByRole('heading', { name: 'quiet lane.mp4' })).toBeVisible();
  const start = screen.getByRole('button', { name: 'Start' });
  await waitFor(() => expect(start).toBeEnabled());
  for (let presses = 0; document.activeElement !== start; presses += 1) {
    expect(presses).toBeLessThan(40);
    await user.tab();
  }
  await user.keyboard('{Enter}');
  await user.click(await screen.findByRole('button', { name: 'Show in folder' }));
  expect(ipc.calls).toContain('reveal fake-1');
});

it('says what is wrong with a file and what to do', async () => {
  open({ files: ['/films/broken.mp4'] });
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent('cannot be read as media');
  expect(alert).toHaveTextContent('Open it in a player');
  expect(screen.queryByRole('button', { name: 'Start' })).toBeNull();
});

it('asks before a job is discarded, and keeps going when told', async () => {
  const { ipc, user } = open({ files: ['/films/a.mp4'], stepFrames: 1, tickMillis: 50 });
  await user.click(await screen.findByRole('button', { name: 'Start' }));
  await user.click(await screen.findByRole('button', { name: 'Cancel…' }));
  await user.click(screen.getByRole('button', { name: 'Keep going' }));
  expect(ipc.jobs.get('fake-1')?.state).not.toBe('cancelled');
  await user.click(screen.getByRole('button', { name: 'Cancel…' }));
  await user.click(screen.getByRole('button', { name: 'Discard' }));
  expect(await screen.findAllByText('Cancelled')).not.toHaveLength(0);
});

it('pauses and resumes', async () => {
  const { user } = open({ files: ['/films/a.mp4'], stepFrames: 1, tickMillis: 30 });
  await user.click(await screen.findByRole('button', { name: 'Start' }));
  await user.click(await screen.findByRole('button', { name: 'Pause' }));
  expect(await screen.findByRole('button', { name: 'Resume' })).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Resume' }));
  expect(await screen.findByRole('button', { name: 'Pause' })).toBeVisible();
});

it('keeps what an interrupted job has done and offers to resume it', async () => {
  const { user } = open({ files: ['/films/crash.mp4'], stepFrames: 200, tickMillis: 10 });
  await user.click(await screen.findByRole('button', { name: 'Start' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('The disk is full.');
  expect(screen.getByRole('button', { name: 'Resume' })).toBeVisible();
});

it('changes its language at once and keeps it', async () => {
  const { ipc, user } = open({});
  await user.click(await screen.findByRole('button', { name: 'Settings' }));
  await user.click(screen.getByRole('radio', { name: 'Tiếng Việt' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'Cài đặt' })).toBeVisible();
  expect(document.documentElement.lang).toBe('vi');
  expect(ipc.calls.some((call) => call.includes('"language":"vi"'))).toBe(true);
});

it('moves along the strip with the arrow keys', async () => {
  const { user } = open({ files: ['/films/a.mp4', '/films/b.mp4'] });
  const strip = await screen.findByRole('listbox');
  strip.focus();
  await user.keyboard('{ArrowRight}');
  expect(screen.getByRole('heading', { name: 'b.mp4' })).toBeVisible();
  await user.keyboard('{Delete}');
  expect(screen.getByRole('heading', { name: 'a.mp4' })).toBeVisible();
  expect(within(strip).getAllByRole('option')).toHaveLength(1);
});

it('shows the notes of the plan, and those of the probe only while there is no plan', async () => {
  const { ipc } = open({ files: ['/films/untagged.mp4'] });
  const original = ipc.planUpscale;
  ipc.planUpscale = async (request) => ({ ...(await original(request)), warnings: [] });
  expect(await screen.findByText(/does not say how its colours are coded/)).toBeVisible();
  await waitFor(() => expect(screen.queryByText(/does not say how its colours are coded/)).toBeNull());
});

it('gives remedies for the window, not for the command line', async () => {
  const { ipc } = open({ files: ['/films/a.mp4'] });
  ipc.planUpscale = () =>
    Promise.reject({
      code: 'model_not_found',
      message: 'There is no model `x`.',
      hint: '`frameloom models list` shows the models that are installed.',
      details: null,
    });
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent('Choose another model');
  expect(alert).not.toHaveTextContent('models list');
});

it('starts the other files where the one that is shown cannot be done this way', async () => {
  const { ipc, user } = open({ files: ['/films/a.mp4', '/films/b.mp4'] });
  const original = ipc.planUpscale;
  ipc.planUpscale = (request) =>
    request.input.includes('a.mp4')
      ? Promise.reject({ code: 'input_too_large', message: 'Too large.', hint: null, details: null })
      : original(request);
  await screen.findByRole('alert');
  await user.click(screen.getByRole('button', { name: 'Start' }));
  await waitFor(() => expect([...ipc.jobs.values()].map((job) => job.spec.input)).toEqual(['/films/b.mp4']));
});

it('asks before it closes on a running job, and takes no for an answer', async () => {
  const { ipc, user } = open({ files: ['/films/a.mp4'], stepFrames: 1, tickMillis: 50 });
  await user.click(await screen.findByRole('button', { name: 'Start' }));
  ipc.askToClose();
  await user.click(await screen.findByRole('button', { name: 'Keep working' }));
  await waitFor(() => expect(ipc.calls).toContain('close stay'));
  ipc.askToClose();
  await user.click(await screen.findByRole('button', { name: 'Finish this part, then close' }));
  expect(await screen.findByText(/part at hand is being finished/)).toBeVisible();
  expect(ipc.calls).toContain('close after_part');
  await user.click(screen.getByRole('button', { name: 'Close now' }));
  expect(ipc.calls.filter((call) => call.startsWith('close'))).toEqual(['close stay', 'close after_part', 'close now']);
});

it('shows what was checked, and finds out a file that was changed since', async () => {
  const { ipc, user } = open({ files: ['/films/changed.mp4'] });
  await user.click(await screen.findByRole('button', { name: 'Start' }));
  await user.click(await screen.findByText('Checked'));
  expect(screen.getByText(/each at its time/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Check the file again' }));
  expect(await screen.findByText(/was changed or damaged/)).toBeVisible();
  expect(ipc.calls).toContain('verify fake-1');
});

it('asks at the start what becomes of files that were cut short', async () => {
  const before = open({ files: ['/films/a.mp4'], stepFrames: 1, tickMillis: 50 });
  await before.user.click(await screen.findByRole('button', { name: 'Start' }));
  await waitFor(() => expect(before.ipc.jobs.get('fake-1')?.state).toBe('running'));
  const job = before.ipc.jobs.get('fake-1');
  if (!job) throw new Error('no job');
  before.ipc.jobs.set(job.id, { ...job, state: 'interrupted' });
  cleanup();

  const user = userEvent.setup();
  render(App, { ipc: before.ipc });
  const dialog = await screen.findByRole('dialog', { name: 'Unfinished files' });
  expect(dialog).toHaveTextContent('1 file was cut short');
  expect(dialog).toHaveTextContent('a.mp4');
  await user.click(within(dialog).getByRole('checkbox'));
  await user.click(within(dialog).getByRole('button', { name: 'Resume' }));
  await waitFor(() => expect(before.ipc.jobs.get('fake-1')?.state).not.toBe('interrupted'));
  expect((await before.ipc.getSettings()).at_start).toBe('resume');
});

it('asks about what waited though the queue did not answer at first, and though the list does not know it', async () => {
  const ipc = fakeIpc({ settings: { language: 'en' }, waiting: ['/films/a.mp4', '/films/b.mp4'], tickMillis: 1e9 });
  const queue = ipc.queue;
  const error = { code: 'store_busy', message: 'Another process writes.', hint: null, details: null };
  ipc.queue = () => Promise.reject(error);
  const listJobs = ipc.listJobs;
  // A row that this version cannot read is on no list.
  ipc.listJobs = async () => (await listJobs()).slice(1);
  const watch = ipc.watchQueue;
  let tell = async () => {};
  ipc.watchQueue = async (onEvent) => {
    tell = async () => onEvent({ event: 'changed', view: await queue() });
    await watch(onEvent);
  };
  render(App, { ipc });
  await screen.findAllByText(/b\.mp4/);
  expect(screen.queryByRole('dialog')).toBeNull();
  await tell();
  const dialog = await screen.findByRole('dialog', { name: 'Unfinished files' });
  expect(dialog).toHaveTextContent('2 files are left from last time');
  expect(dialog).toHaveTextContent('b.mp4');
  expect(dialog).toHaveTextContent('and 1 more');
  ipc.answerLeftOver = () => Promise.reject(error);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Not now' }));
  // The queue has no answer yet, and would wait for it for ever.
  expect(await screen.findByRole('dialog', { name: 'Unfinished files' })).toBeVisible();
  const answers: boolean[] = [];
  ipc.answerLeftOver = async (goOn) => void answers.push(goOn);
  await userEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Resume' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(answers).toEqual([true]);
});

it('finds a command by words without accents and does it', async () => {
  const { user } = open({ settings: { language: 'vi' } });
  await screen.findByRole('button', { name: 'Chọn tệp…' });
  await user.keyboard('{Control>}k{/Control}');
  await user.type(screen.getByRole('combobox'), 'den mo hinh');
  await user.keyboard('{Enter}');
  expect(await screen.findByRole('heading', { level: 1, name: 'Mô hình' })).toBeVisible();
});

it('takes the keys that the user chose, says what else has them, and gives the usual ones back', async () => {
  const { ipc, user } = open({ settings: { language: 'en' } });
  await user.keyboard('{Control>},{/Control}');
  const change = await screen.findByRole('button', { name: 'Change the keys of “Go to Models”' });
  await user.click(change);
  await user.keyboard('{Control>}1{/Control}');
  expect(ipc.calls.at(-1)).toContain('"place.models":"Mod+1"');
  expect(screen.getAllByText(/^Also used by: /)).toHaveLength(2);
  await user.click(change);
  await user.keyboard('{Control>}{Alt>}m{/Alt}{/Control}');
  await user.keyboard('{Control>}{Alt>}m{/Alt}{/Control}');
  expect(await screen.findByRole('heading', { level: 1, name: 'Models' })).toBeVisible();
});

it('finds a setting by its words, and puts all of them back when that is confirmed', async () => {
  const { ipc, user } = open({ settings: { language: 'en', theme: 'light', scale_percent: 150 } });
  await user.keyboard('{Control>},{/Control}');
  await user.type(await screen.findByRole('searchbox'), 'priority');
  expect(screen.getByRole('radio', { name: 'Low' })).toBeInTheDocument();
  expect(screen.queryByRole('radio', { name: 'Light' })).toBeNull();
  await user.clear(screen.getByRole('searchbox'));
  await user.click(screen.getByRole('button', { name: 'Reset all settings…' }));
  await user.click(screen.getByRole('button', { name: 'Reset' }));
  expect(ipc.calls.at(-1)).toContain('"scale_percent":100');
});

it('looks at the machine when asked', async () => {
  const { user } = open({ settings: { language: 'en' } });
  await user.keyboard('{Control>},{/Control}');
  await user.click(await screen.findByRole('button', { name: 'Look at this machine' }));
  expect(await screen.findByText(/41.3 frames per second/)).toBeVisible();
  expect(screen.getByText('libx264, libsvtav1')).toBeVisible();
});

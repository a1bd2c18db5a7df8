import { render, screen, waitFor, within } from '@testing-library/svelte';
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
    expect(presses).toBeLessThan(10);
    await user.tab();
  }
  await user.keyboard('{Enter}');
  expect(await screen.findByRole('heading', { name: 'quiet lane.mp4' })).toBeVisible();
  const start = screen.getByRole('button', { name: 'Start' });
  await waitFor(() => expect(start).toBeEnabled());
  for (let presses = 0; document.activeElement !== start; presses += 1) {
    expect(presses).toBeLessThan(30);
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
  expect(await screen.findByRole('button', { name: 'Chọn tệp…' })).toBeVisible();
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

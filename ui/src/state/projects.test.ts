import { beforeEach, describe, expect, it } from 'vitest';
import { fakeIpc, type FakeIpc } from '../ipc/fake';
import { Canvas } from './canvas/canvas.svelte';
import * as edits from './canvas/edits';
import { Projects } from './projects.svelte';

const FILM = '/home/mai/Phim/Ngõ nhỏ Hà Nội.frameloom';

describe('projects', () => {
  let ipc: FakeIpc;
  let canvas: Canvas;
  let projects: Projects;

  beforeEach(async () => {
    ipc = fakeIpc({ tickMillis: 1e9 });
    canvas = new Canvas(ipc, () => 'Untitled');
    projects = new Projects(ipc, canvas);
    await canvas.load();
    await projects.load();
  });

  const calls = (what: string) => ipc.calls.filter((call) => call.startsWith(what));
  const change = () => {
    const kind = canvas.kinds.get('flip');
    if (!kind) throw new Error('there is a flip');
    canvas.edit(edits.addNode(canvas.document, kind, { x: 0, y: 0 })[0]);
  };

  it('knows that what is drawn is not in the file, and that it is again after an undo', async () => {
    await projects.open(FILM);
    expect(projects.unsaved).toBe(false);
    change();
    expect(projects.unsaved).toBe(true);
    canvas.undo();
    expect(projects.unsaved).toBe(false);
    canvas.rename('Another name');
    expect(projects.unsaved).toBe(true);
  });

  it('notes changes of a project that has a file, once each, and nothing of a graph without one', async () => {
    change();
    await projects.noteNow();
    expect(calls('autosave')).toHaveLength(0);
    await projects.open(FILM);
    await projects.noteNow();
    expect(calls('autosave')).toHaveLength(0);
    change();
    await projects.noteNow();
    await projects.noteNow();
    expect(calls('autosave')).toHaveLength(1);
    await projects.save(async () => null);
    await projects.noteNow();
    expect(calls('autosave')).toHaveLength(1);
    expect(projects.unsaved).toBe(false);
  });

  it('lets go of the project when another graph is opened, and notes what was not saved first', async () => {
    await projects.open(FILM);
    change();
    await projects.fresh();
    expect(calls('autosave')).toHaveLength(1);
    expect(projects.inHand).toBeNull();
    expect(projects.unsaved).toBe(false);
  });

  it('asks for a file where there is none, and saves nothing when none is given', async () => {
    expect(await projects.save(async () => null)).toBe(false);
    expect(calls('saveProject')).toHaveLength(0);
    expect(await projects.save(async () => '/a/film')).toBe(true);
    expect(projects.inHand?.path).toBe('/a/film.frameloom');
    // The copy that the canvas keeps is that of the project from now on.
    expect(canvas.id).toBe(projects.inHand?.id);
    expect(await projects.saveAs(async () => '/a/other.frameloom')).toBe(true);
    expect(projects.inHand?.path).toBe('/a/other.frameloom');
    expect(projects.unsaved).toBe(false);
  });

  it('stays with what is in hand where a file cannot be opened', async () => {
    await projects.open(FILM);
    await projects.open('/a/damaged.frameloom');
    expect(projects.error?.code).toBe('input_unreadable');
    expect(projects.inHand?.path).toBe(FILM);
  });

  it('stops what takes its time without an error', async () => {
    await projects.open(FILM);
    const collected = projects.collect('/a');
    expect(projects.work).toBe('collect');
    projects.stop();
    await collected;
    expect([projects.work, projects.result, projects.error]).toEqual([null, null, null]);
  });
});

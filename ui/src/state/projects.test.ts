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

  it('keeps what was drawn where the program ended before it was noted, and has the project in hand again', async () => {
    await projects.open(FILM);
    change();
    await canvas.flush();
    // Started again: nothing was noted, and the canvas still has it.
    canvas = new Canvas(ipc, () => 'Untitled');
    projects = new Projects(ipc, canvas);
    const loading = projects.load();
    await canvas.load();
    const nodes = canvas.document.graph.nodes.length;
    // The list of projects may come later than the canvas.
    await projects.adopt();
    await loading;
    expect(projects.inHand?.path).toBe(FILM);
    expect(canvas.document.graph.nodes).toHaveLength(nodes);
    expect(projects.unsaved).toBe(true);
    await projects.noteNow();
    expect(calls('autosave')).toHaveLength(1);
  });

  it('has the project in hand again, saved as it is, where nothing was changed', async () => {
    await projects.open(FILM);
    await canvas.flush();
    canvas = new Canvas(ipc, () => 'Untitled');
    projects = new Projects(ipc, canvas);
    await projects.load();
    await canvas.load();
    await projects.adopt();
    expect([projects.inHand?.path, projects.unsaved]).toEqual([FILM, false]);
    await projects.noteNow();
    expect(calls('autosave')).toHaveLength(0);
  });

  it('takes the file where that was saved after what is drawn', async () => {
    await projects.open(FILM);
    change();
    await canvas.flush();
    const drawn = canvas.document.graph.nodes.length;
    const save = ipc.openProject;
    ipc.openProject = async (path, told) => ({ ...(await save(path, told)), saved_millis: Date.now() + 60_000 });
    canvas = new Canvas(ipc, () => 'Untitled');
    projects = new Projects(ipc, canvas);
    await projects.load();
    await canvas.load();
    await projects.adopt();
    expect(canvas.document.graph.nodes).toHaveLength(drawn - 1);
    expect(projects.unsaved).toBe(false);
  });

  it('notes what is not saved before another graph is opened, and is not changed by going there and back', async () => {
    await canvas.flush();
    change();
    await canvas.flush();
    const other = canvas.id;
    if (other === null) throw new Error('it was kept');
    await projects.open(FILM);
    await canvas.flush();
    const own = canvas.id;
    await canvas.open(other);
    expect(calls('autosave')).toHaveLength(0);
    expect(projects.inHand).toBeNull();
    await canvas.open(own ?? '');
    expect([projects.inHand?.path, projects.unsaved]).toEqual([FILM, false]);
    change();
    await canvas.open(other);
    expect(calls('autosave')).toHaveLength(1);
  });

  it('takes a file that was found again into what is drawn, and keeps what is not saved', async () => {
    await projects.open('/a/lost.frameloom');
    change();
    const nodes = canvas.document.graph.nodes.length;
    expect(await projects.relink('input:main', '/b/found.mp4', false)).toBeNull();
    expect(canvas.document.graph.nodes).toHaveLength(nodes);
    expect(canvas.document.run.inputs['main']).toBe('/b/found.mp4');
    expect(canvas.history.canUndo).toBe(true);
    expect(projects.unsaved).toBe(true);
    await projects.relink('node:look:lut', '/b/look.cube', false);
    expect(projects.lost.map(({ role }) => role)).toEqual(['input:logo']);
  });

  it('stays in hand while it is asked whether a graph that cannot be saved is left', async () => {
    await projects.open(FILM);
    await canvas.flush();
    const keep = ipc.saveCanvas;
    ipc.saveCanvas = () => Promise.reject({ code: 'disk_full', message: 'full' });
    change();
    await projects.open('/a/other.frameloom');
    expect(canvas.stuck).toBe(true);
    expect([projects.inHand?.path, projects.unsaved]).toEqual([FILM, true]);
    await projects.fresh();
    expect(projects.inHand?.path).toBe(FILM);
    await projects.open('/a/other.frameloom');
    await canvas.leaveAnyway();
    expect([projects.inHand?.path, projects.unsaved]).toEqual(['/a/other.frameloom', false]);
    ipc.saveCanvas = keep;
  });

  it('notes again what could not be noted, and what was drawn while it was saved or could not be', async () => {
    await projects.open(FILM);
    change();
    const note = ipc.autosaveProject;
    ipc.autosaveProject = () => Promise.reject({ code: 'disk_full', message: 'full' });
    await projects.noteNow();
    expect(projects.error?.code).toBe('disk_full');
    ipc.autosaveProject = note;
    await projects.noteNow();
    expect(calls('autosave')).toHaveLength(1);
    const saving = projects.save(async () => null);
    change();
    await saving;
    expect(projects.unsaved).toBe(true);
    await projects.noteNow();
    expect(calls('autosave')).toHaveLength(2);
  });

  it('throws away what was not saved also where the canvas kept it', async () => {
    await projects.open(FILM);
    const saved = canvas.document.graph.nodes.length;
    change();
    await canvas.flush();
    const again = { path: FILM, title: 'Ngõ nhỏ Hà Nội', changed_millis: 0, file_exists: true };
    ipc.projectRecoveries = async () => [again];
    canvas = new Canvas(ipc, () => 'Untitled');
    projects = new Projects(ipc, canvas);
    await projects.load();
    await canvas.load();
    await projects.adopt();
    expect(projects.inHand).toBeNull();
    await projects.drop(FILM);
    expect([projects.inHand?.path, projects.unsaved]).toEqual([FILM, false]);
    expect(canvas.document.graph.nodes).toHaveLength(saved);
  });
});

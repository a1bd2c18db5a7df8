/** `ProjectIpc` without a program: projects in memory, and the sources and answers that tests need. */
import type { OpenedProject } from './bindings/OpenedProject';
import type { ProjectFinding } from './bindings/ProjectFinding';
import type { ProjectRecovery } from './bindings/ProjectRecovery';
import type { ProjectSave } from './bindings/ProjectSave';
import type { ProjectSource } from './bindings/ProjectSource';
import type { RecentProject } from './bindings/RecentProject';
import type { Remark } from './bindings/Remark';
import type { Subject } from './bindings/Subject';
import type { OnProgress, ProjectIpc } from './project';

interface Told {
  calls: string[];
}

export interface FakeProjects {
  /** Whether changes that were not saved are found at the start. */
  recovery: boolean;
}

const FILM = '/home/mai/Phim/Ngõ nhỏ Hà Nội.frameloom';
const wait = (millis: number) => new Promise((done) => setTimeout(done, millis));

const node = (id: string, op: string, params?: object) => ({ id, op, ...(params ? { params } : {}) });
const DOCUMENT = {
  version: 1,
  graph: {
    version: 2,
    nodes: [node('source1', 'source', {}), node('flip1', 'flip', { axis: 'horizontal' }), node('sink1', 'sink')],
    edges: [
      { from: 'source1', from_port: 'video', to: 'flip1', to_port: 'in' },
      { from: 'flip1', from_port: 'out', to: 'sink1', to_port: 'video' },
    ],
  },
  run: { inputs: { main: '/home/mai/Phim/ngõ nhỏ.mp4' }, output: '/home/mai/Phim/kết quả.mp4', quality: 'archive' },
};

export function projectFake(told: Told, { recovery }: FakeProjects): ProjectIpc {
  const source = (role: string, path: string, state: ProjectSource['state']): ProjectSource => ({
    role,
    name: path.split('/').at(-1) ?? path,
    path,
    state,
    size_bytes: 48_200_000,
    summary: { kind: 'video', size: [1920, 1080], duration_micros: 94_000_000, codec: 'h264' },
  });
  const kept = (path: string, title: string): OpenedProject => ({
    path,
    id: `film-${title.length}`,
    title,
    document: structuredClone(DOCUMENT),
    settings: {
      output: 'kết quả.mp4', codec: null, quality: 'archive', drop: [], device: 'auto', commercial: false,
      compute: { precision: null, deterministic: false, threads: null, priority: null },
      pictures: { rate: null, sequence: false },
    },
    sources: [source('input:main', '/home/mai/Phim/ngõ nhỏ.mp4', 'same')],
    models: [],
    locked_millis: null,
    saved_millis: 1_760_000_000_000,
    program: '0.1.0',
    recovery: null,
  });
  const projects = new Map<string, OpenedProject>([[FILM, kept(FILM, 'Ngõ nhỏ Hà Nội')]]);
  const recent: RecentProject[] = [
    { path: FILM, id: 'film-14', title: 'Ngõ nhỏ Hà Nội', opened_millis: 1_760_000_000_000, exists: true },
    { path: '/media/usb/old.frameloom', id: 'old', title: 'Phim cũ của gia đình', opened_millis: 1_750_000_000_000, exists: false },
  ];
  const left: ProjectRecovery[] = recovery
    ? [{ path: FILM, title: 'Ngõ nhỏ Hà Nội', changed_millis: 1_760_000_900_000, file_exists: true }]
    : [];
  let stopped = false;
  const note = (path: string, id: string, title: string) => {
    const at = recent.findIndex((one) => one.path === path);
    if (at >= 0) recent.splice(at, 1);
    recent.unshift({ path, id, title, opened_millis: Date.now(), exists: true });
  };
  const find = (path: string): OpenedProject => {
    const found = projects.get(path);
    if (found) return found;
    // Some names stand for what can be wrong with a file.
    if (path.includes('damaged')) {
      throw { code: 'input_unreadable', message: `\`${path.split('/').at(-1)}\` is damaged and cannot be opened.` };
    }
    const made = kept(path, (path.split('/').at(-1) ?? path).replace(/\.frameloom$/, ''));
    if (path.includes('lost')) {
      made.sources = [
        source('input:main', '/home/mai/Phim/ngõ nhỏ.mp4', 'missing'),
        source('input:logo', '/home/mai/Phim/dấu chìm của xưởng phim.png', 'changed'),
        source('node:look:lut', '/home/mai/Phim/look.cube', 'same'),
      ];
    }
    projects.set(path, made);
    return made;
  };
  const busy = async (onProgress: OnProgress, step: 'reading' | 'copying' | 'rendering', name: string, millis = 60) => {
    stopped = false;
    for (let done = 0; done <= 5; done += 1) {
      if (stopped) throw { code: 'cancelled', message: 'Stopped, as you asked.' };
      onProgress({ step, name, done: step === 'rendering' ? done : done * 9_000_000, total: step === 'rendering' ? 5 : 45_000_000 });
      await wait(millis);
    }
  };
  const documentOf = (save: ProjectSave) => structuredClone(save.document);
  return {
    openProject: async (path, onProgress) => {
      // Copied from another disk: its files have another time, and are read.
      if (path.includes('copied')) await busy(onProgress, 'reading', 'ngõ nhỏ.mp4', 900);
      const found = find(path);
      note(path, found.id, found.title);
      told.calls.push(`openProject ${path}`);
      return structuredClone(found);
    },
    saveProject: async (save) => {
      const path = save.path.endsWith('.frameloom') ? save.path : `${save.path}.frameloom`;
      const before = projects.get(path);
      const id = before?.id ?? (save.from === null ? save.id : null) ?? `saved-${projects.size}`;
      projects.set(path, { ...(before ?? kept(path, save.title)), id, title: save.title, document: documentOf(save), saved_millis: Date.now() });
      note(path, id, save.title);
      told.calls.push(`saveProject ${path} ${save.title}`);
      return { path, id, saved_millis: Date.now() };
    },
    autosaveProject: async (save) => {
      told.calls.push(`autosaveProject ${save.path}`);
    },
    projectRecoveries: async () => structuredClone(left),
    recoverProject: async (path) => {
      const found = structuredClone(find(path));
      told.calls.push(`recoverProject ${path}`);
      const document = found.document as typeof DOCUMENT;
      document.graph.nodes.push(node('resize1', 'resize', { width: 1280, height: 720 }));
      return found;
    },
    dropRecovery: async (path) => {
      left.splice(0, left.length, ...left.filter((one) => one.path !== path));
      told.calls.push(`dropRecovery ${path}`);
    },
    recentProjects: async () => structuredClone(recent),
    forgetProject: async (path) => {
      recent.splice(0, recent.length, ...recent.filter((one) => one.path !== path));
    },
    relinkProject: async (path, role, file, anyway) => {
      if (!anyway && file.includes('ngõ') && role === 'input:logo') {
        throw { code: 'input_changed', message: 'It holds something else than the file that the project was saved with.' };
      }
      const found = find(path);
      found.sources = found.sources.map((one) => (one.role === role ? source(role, file, 'same') : one));
      told.calls.push(`relinkProject ${role} ${file}`);
      return structuredClone(found);
    },
    forecastCollect: async (_path, folder) => ({ files: 3, bytes: 48_300_000, free_bytes: folder.includes('full') ? 12_000_000 : 120_000_000_000 }),
    collectProject: async (path, folder, onProgress) => {
      await busy(onProgress, 'copying', 'ngõ nhỏ.mp4', folder.includes('slow') ? 3000 : 60);
      return { path: `${folder}/${path.split('/').at(-1)}`, files: 3, bytes: 48_300_000, changed: [] };
    },
    lockProject: async (path, onProgress) => {
      await busy(onProgress, 'rendering', '');
      const found = find(path);
      found.locked_millis = 1_760_001_000_000;
      told.calls.push(`lockProject ${path}`);
      return structuredClone(found);
    },
    verifyProject: async (path, onProgress) => {
      await busy(onProgress, 'rendering', '');
      const found = find(path);
      const same = !path.includes('lost');
      const finding = (subject: Subject, remarks: Remark[]): ProjectFinding => ({
        subject,
        verdict: same || remarks[0]?.code.startsWith('same') ? 'same' : 'differs',
        remarks: same ? [{ code: 'same' }] : remarks,
        what: subject.is,
        says: 'said in English for the command line',
      });
      return {
        same,
        locked_millis: found.locked_millis ?? 0,
        rendered: 3,
        findings: [
          finding({ is: 'input', name: 'main' }, [{ code: 'same' }]),
          finding({ is: 'graph' }, [
            { code: 'parameter', node: 'flip1', name: 'axis', then: 'horizontal', now: 'vertical' },
            { code: 'node_gone', node: 'resize1' },
          ]),
          finding({ is: 'settings' }, [{ code: 'setting', name: 'quality', then: 'archive', now: 'good' }]),
          finding({ is: 'program', name: 'libavcodec' }, [{ code: 'changed', then: '59.37.100', now: '61.19.100' }]),
          ...[0, 40_000].map((at_micros) => finding({ is: 'frame', at_micros }, [{ code: 'other_picture' }])),
          finding({ is: 'frame', at_micros: 80_000 }, [{ code: 'unrenderable', error: 'out_of_memory', message: 'Memory ran out.' }]),
        ],
      };
    },
    stopProjectWork: async () => {
      stopped = true;
    },
    chooseProject: async () => FILM,
    chooseProjectSave: async (_title, suggested) => `/home/mai/Phim/${suggested}`,
  };
}

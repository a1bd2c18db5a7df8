/**
 * Everything the window knows: files that were added and not started (drafts), jobs, models,
 * settings, and what is chosen. The program's database is the truth for jobs; this is its mirror.
 */
import type { AppError } from '../ipc/bindings/AppError';
import { subtitleWish, type SubtitleTuning } from '../components/home/subtitles';
import type { ConvertWish } from '../ipc/bindings/ConvertWish';
import type { EnlargeWish } from '../ipc/bindings/EnlargeWish';
import type { Found } from '../ipc/bindings/Found';
import type { Job } from '../ipc/bindings/Job';
import type { JobEvent } from '../ipc/bindings/JobEvent';
import type { MediaInfo } from '../ipc/bindings/MediaInfo';
import type { ModelEntry } from '../ipc/bindings/ModelEntry';
import type { PresetCard } from '../ipc/bindings/PresetCard';
import type { PresetFit } from '../ipc/bindings/PresetFit';
import type { PresetId } from '../ipc/bindings/PresetId';
import type { PresetOption } from '../ipc/bindings/PresetOption';
import type { Quality } from '../ipc/bindings/Quality';
import type { Receipt } from '../ipc/bindings/Receipt';
import type { SavedFit } from '../ipc/bindings/SavedFit';
import type { SavedPreset } from '../ipc/bindings/SavedPreset';
import type { Settings } from '../ipc/bindings/Settings';
import type { FacesView } from '../ipc/bindings/FacesView';
import type { SceneExport } from '../ipc/bindings/SceneExport';
import type { SceneWish } from '../ipc/bindings/SceneWish';
import { facesBasis, keptFaces } from './faces';
import type { SilenceRule } from '../ipc/bindings/SilenceRule';
import type { Span } from '../ipc/bindings/Span';
import type { Task } from '../ipc/bindings/Task';
import type { UpscalePlan } from '../ipc/bindings/UpscalePlan';
import type { UpscaleRequest } from '../ipc/bindings/UpscaleRequest';
import type { VideoCodec } from '../ipc/bindings/VideoCodec';
import type { VoiceWish } from '../ipc/bindings/VoiceWish';
import type { Verification } from '../ipc/bindings/Verification';
import { toAppError, type Ipc } from '../ipc/ipc';
import { t } from '../i18n/index.svelte';
import { folderOf, isFinished, isTerminal, modelOf, presetOf } from './facts';
import { valuesOf, wishOf, type Values } from './tuned';
import { sampleSpan } from './sample';

/** A file that was added and not started. */
export class Draft {
  readonly id: string;
  readonly path: string;
  /** Its place below the folder that was added; empty for a file that was added itself. */
  readonly below: string;
  info = $state.raw<MediaInfo | null>(null);
  /** What is done with it. */
  preset = $state<PresetId>('enlarge');
  /** The preset of the shelf that says what is done; its own choices where `null`. */
  saved = $state.raw<SavedPreset | null>(null);
  /** Which presets of the shelf it is for; `null` until that is known. */
  savedFits = $state.raw<readonly SavedFit[] | null>(null);
  /** Which presets it is for; `null` until that is known. */
  fits = $state.raw<readonly PresetFit[] | null>(null);
  /** The stretch of the clip that is taken; all of it where `null`. */
  span = $state.raw<Span | null>(null);
  /** Why the file cannot be used. */
  error = $state.raw<AppError | null>(null);
  plan = $state.raw<UpscalePlan | null>(null);
  /** Why it cannot be done this way. */
  planError = $state.raw<AppError | null>(null);
  /** The request that `planError` is about. */
  refusedRequest = $state.raw<string | null>(null);
  /** Who is seen in it, once that was looked for. */
  faces = $state.raw<FacesView | null>(null);
  /** What the search for `faces` depended on. */
  facesBasis = '';
  /** Numbers of faces that stay visible. */
  visible = $state.raw<ReadonlySet<number>>(new Set());
  starting = $state(false);
  /** How much is done of what is no job, 0 to 1. */
  part = $state(0);
  /** The file that was written of it without a job. */
  written = $state.raw<string | null>(null);
  /** Where the clip is looked at, in microseconds. */
  at = $state(0);

  constructor(id: string, { path, below }: Found) {
    this.id = id;
    this.path = path;
    this.below = below;
  }

  /** It can be started. */
  get ready(): boolean {
    return this.info !== null && this.error === null && !this.starting;
  }
}

/** As the program has it where nobody chooses. */
const USUAL_SILENCE: SilenceRule = { threshold: 0.5, padding_millis: 200, min_silence_millis: 500, min_speech_millis: 100 };
const USUAL_VOICE: VoiceWish = { loudness: -16, strength: 1 };
const USUAL_ENLARGE: EnlargeWish = { fit: null, source: null };
/** White letters with an outline, below, where nothing is said. */
const USUAL_SUBTITLES: SubtitleTuning = { place: 'pictures', language: '', file: null, size: 5, back: false, top: false, seconds: 0 };
const USUAL_CONVERT: ConvertWish = {
  fit: null,
  larger: false,
  mark: null,
  text: null,
  anchor: null,
  opacity: null,
  mark_width: null,
  strip: false,
  srgb: false,
};
const USUAL_SCENES: Omit<SceneWish, 'chapter'> = { sensitivity: 0.5, least_millis: 500 };

/** How it is done: one recipe for every file that is not started; each takes what its preset leaves open. */
export interface Recipe {
  /** `null`: the program's choice for the file. */
  model: string | null;
  /** `null`: the scale of the model. */
  scale: number | null;
  quality: Quality;
  codec: VideoCodec | null;
  /** Settings of the cards that are about one node. */
  tuned: Partial<Record<PresetId, Values>>;
  /** How silence is told from speech. */
  silence: SilenceRule;
  /** How a voice is cleaned. */
  voice: VoiceWish;
  /** To which size something is enlarged. */
  enlarge: EnlargeWish;
  /** How pictures are converted. */
  convert: ConvertWish;
  /** Which subtitles are burned in, and how they look. */
  subtitles: SubtitleTuning;
  /** How scenes are told from each other; what stands before the numbers of chapters is a word of the window. */
  scenes: Omit<SceneWish, 'chapter'>;
  /** What is made of scenes. */
  split: SceneExport;
  /** Ending of the results; `null`: as the preset has it. */
  format: string | null;
  /** Template for the names of results; `null`: as the preset has it. */
  name: string | null;
  /** `null`: the folder of the settings, or else the source's own. */
  outputDir: string | null;
}

export type Item = { kind: 'draft'; id: string; draft: Draft } | { kind: 'job'; id: string; job: Job };

/** What the announcer and other listeners are told. */
export interface StudioListener {
  jobState?(job: Job): void;
  jobProgress?(job: Job): void;
}

/** Settings of somebody who never changed any, as the program has them, too. */
export const USUAL: Settings = {
  language: 'system',
  theme: 'dark',
  output_dir: null,
  compute: { precision: 'exact', deterministic: false, threads: null, priority: 'normal' },
  at_start: 'ask',
  scale_percent: 100,
  shortcuts: {},
  tray: 'while_busy',
  proxy: { kind: 'system' },
  offline: false,
  kept_limit: 5,
};

export class Studio {
  drafts = $state<Draft[]>([]);
  jobs = $state.raw<Job[]>([]);
  models = $state.raw<ModelEntry[]>([]);
  presets = $state.raw<PresetCard[]>([]);
  shelf = $state.raw<SavedPreset[]>([]);
  settings = $state.raw<Settings>(USUAL);
  recipe = $state<Recipe>({
    model: null,
    scale: null,
    quality: 'good',
    codec: null,
    tuned: {},
    silence: { ...USUAL_SILENCE },
    voice: { ...USUAL_VOICE },
    enlarge: { ...USUAL_ENLARGE },
    convert: { ...USUAL_CONVERT },
    subtitles: { ...USUAL_SUBTITLES },
    scenes: { ...USUAL_SCENES },
    split: 'files',
    format: null,
    name: null,
    outputDir: null,
  });
  /** What is chosen for one file is chosen for all that it fits. */
  everyFile = $state(true);
  selectedId = $state<string | null>(null);
  /** The last thing that went wrong outside a file or a job. */
  notice = $state.raw<AppError | null>(null);
  /** Nothing was found where files were looked for. */
  foundNothing = $state(false);
  loaded = $state(false);
  /** Jobs that were found cut short at the start, until it is answered what becomes of them. */
  cutShort = $state.raw<Job[]>([]);
  /** Jobs that were told to pause and are not at rest yet. */
  pausing = $state.raw<ReadonlySet<string>>(new Set());

  /** Probe results by path, so that a job knows what its source is. */
  #infos = $state.raw<ReadonlyMap<string, MediaInfo>>(new Map());
  #probing = new Set<string>();
  #draftCount = 0;
  /** What was chosen last: files that come later get it, too. */
  #lastPreset: PresetId = 'enlarge';
  #lastSaved: SavedPreset | null = null;
  #planRun = 0;
  /** The model that is measured now, to foresee how long something takes. */
  timing = $state<string | null>(null);
  /** Models that were measured for that, well or in vain. */
  readonly #timed = new Set<string>();

  /** The strip: jobs in the order of their submission, then what waits to be started. */
  items = $derived<Item[]>([
    ...this.jobs.map((job): Item => ({ kind: 'job', id: `job:${job.id}`, job })),
    ...this.drafts.map((draft): Item => ({ kind: 'draft', id: draft.id, draft })),
  ]);
  selected = $derived<Item | null>(this.items.find((item) => item.id === this.selectedId) ?? null);
  startable = $derived(this.drafts.filter((draft) => this.canStart(draft)));
  running = $derived(this.jobs.filter((job) => job.state === 'running').length);
  hasFinished = $derived(this.jobs.some(isFinished));

  constructor(
    private readonly ipc: Ipc,
    private readonly listener: StudioListener = {},
  ) {}

  /** Loads everything; each part by itself, so that one failure does not hide the rest. */
  async load(): Promise<void> {
    await Promise.all([
      this.#guard(async () => {
        this.settings = await this.ipc.getSettings();
      }),
      this.#guard(async () => {
        this.models = await this.ipc.listModels();
      }),
      this.#guard(async () => {
        this.presets = await this.ipc.presets();
      }),
      this.loadShelf(),
      this.#guard(async () => {
        // First the events, then the list: nothing that happens in between is lost.
        await this.ipc.watchJobs((event) => this.apply(event));
        const listed = await this.ipc.listJobs();
        const known = new Set(this.jobs.map((job) => job.id));
        this.#setJobs([...listed.filter((job) => !known.has(job.id)), ...this.jobs]);
      }),
    ]);
    await this.#guard(async () => {
      const files = await this.ipc.startFiles();
      if (files.length > 0) await this.add(files);
    });
    if (this.selectedId === null) this.selectedId = this.items.at(-1)?.id ?? null;
    this.loaded = true;
    // What the user paused stays so; only what was cut short is asked about. What waited for it is
    // asked about by the queue.
    this.cutShort = this.jobs.filter((job) => job.state === 'interrupted');
    if (this.settings.at_start === 'resume') await this.resumeCutShort();
    else if (this.settings.at_start === 'leave') this.leaveCutShort();
  }

  /** Goes on with the jobs that were cut short. */
  async resumeCutShort(): Promise<void> {
    const cut = this.cutShort;
    this.cutShort = [];
    for (const job of cut) await this.resume(job.id);
  }

  /** Leaves them as they are; each can be resumed by itself. */
  leaveCutShort(): void {
    this.cutShort = [];
  }

  /** Files and folders that were dropped, chosen or named on the command line. */
  async add(paths: string[]): Promise<void> {
    if (paths.length === 0) return;
    this.foundNothing = false;
    const files: Found[] = [];
    for (const path of paths) {
      // One by one: a path that cannot be read must not hide the others.
      await this.#guard(async () => {
        const expanded = await this.ipc.expandInputs([path]);
        files.push(...expanded.files);
        const [refused] = expanded.refused;
        if (refused) this.notice = refused.error;
      });
    }
    await this.#guard(async () => {
      const known = new Set(this.drafts.map((draft) => draft.path));
      const fresh = files
        .filter(({ path }) => !known.has(path))
        .map((file) => new Draft(`draft:${++this.#draftCount}`, file));
      this.foundNothing = files.length === 0 && this.notice === null;
      this.drafts.push(...fresh);
      // What is worked on is in the library, too; the work does not wait for that.
      if (fresh.length > 0) void this.#guard(async () => void (await this.ipc.importToLibrary(fresh.map(({ path }) => path))));
      const first = fresh[0]?.id ?? this.drafts.find((draft) => draft.path === files[0]?.path)?.id;
      if (first) this.selectedId = first;
      // One after the other: a folder of hundreds must not open them all at once.
      for (const { id } of fresh) {
        const draft = this.drafts.find((candidate) => candidate.id === id);
        if (draft) await this.#probe(draft);
      }
    });
  }

  async #probe(draft: Draft): Promise<void> {
    try {
      const info = await this.ipc.probeMedia(draft.path);
      draft.info = info;
      this.#remember(draft.path, info);
      await this.#fit(draft);
      const saved = this.#lastSaved;
      if (saved !== null && this.savedMisfit(draft, saved) === null) [draft.saved, draft.preset] = [saved, saved.base];
      else draft.preset = this.#usualFor(draft);
    } catch (thrown) {
      draft.error = toAppError(thrown);
    }
  }

  /** What was chosen last where the file is for it; otherwise the usual one, or the first of all cards. */
  #usualFor(draft: Draft): PresetId {
    const fits = (id: PresetId) => this.misfit(draft, id) === null;
    return [this.#lastPreset, 'enlarge' as const, ...this.presets.map(({ id }) => id)].find(fits) ?? 'enlarge';
  }

  /** The cards of a file: of sound alone, those that are for it come first, for they are few. */
  cardsOf(draft: Draft): readonly PresetCard[] {
    if (draft.info?.kind !== 'audio') return this.presets;
    const takes = (preset: PresetCard) => preset.takes.includes('audio');
    return [...this.presets.filter(takes), ...this.presets.filter((preset) => !takes(preset))];
  }

  /** What comes out is sound without pictures. */
  isAlone(draft: Draft): boolean {
    return draft.info?.kind === 'audio' || (draft.saved === null && draft.preset === 'sound');
  }

  #remember(path: string, info: MediaInfo): void {
    this.#infos = new Map(this.#infos).set(path, info);
  }

  /** What the source at `path` is, once known. */
  infoOf(path: string): MediaInfo | null {
    return this.#infos.get(path) ?? null;
  }

  /** Probes the source of a job that this window did not add itself. A source that is gone stays unknown. */
  async learn(path: string): Promise<void> {
    if (this.#infos.has(path) || this.#probing.has(path)) return;
    this.#probing.add(path);
    try {
      this.#remember(path, await this.ipc.probeMedia(path));
    } catch {
      // The facts are left out; the job itself says what is wrong with its source.
    }
  }

  async #fit(draft: Draft): Promise<void> {
    if (draft.info === null) return;
    const { span } = draft;
    const [fits, savedFits] = await Promise.all([this.ipc.presetFits(draft.info, span), this.ipc.savedFits(draft.info, span)]);
    // Another stretch may have been marked meanwhile.
    if (draft.span === span) [draft.fits, draft.savedFits] = [fits, savedFits];
  }

  /** Takes `span` of a clip, or all of it. */
  async take(draft: Draft, span: Span | null): Promise<void> {
    draft.span = span;
    await this.#guard(() => this.#fit(draft));
  }

  /** Why a preset is not for a file; `null` where it is, or where that is not known yet. */
  misfit(draft: Draft, id: PresetId): PresetFit['misfit'] {
    return draft.fits?.find((fit) => fit.id === id)?.misfit ?? null;
  }

  /** The same of a preset of the shelf. */
  savedMisfit(draft: Draft, { id }: SavedPreset): SavedFit['misfit'] {
    return draft.savedFits?.find((fit) => fit.id === id)?.misfit ?? null;
  }

  /** Why what is chosen is not for a file. */
  chosenMisfit(draft: Draft): PresetFit['misfit'] {
    return draft.saved === null ? this.misfit(draft, draft.preset) : this.savedMisfit(draft, draft.saved);
  }

  async loadShelf(): Promise<void> {
    await this.#guard(async () => {
      this.shelf = (await this.ipc.shelf()).presets;
      for (const draft of this.drafts) await this.#fit(draft);
    });
  }

  /** Chooses a preset of the shelf for `draft`, and for every other file that it fits. */
  chooseSaved(saved: SavedPreset, draft: Draft): void {
    for (const other of this.choosing(draft)) {
      if (this.savedMisfit(other, saved) === null) [other.saved, other.preset] = [saved, saved.base];
    }
    this.#lastSaved = saved;
    this.recipe.format = null;
  }

  /** Keeps how `draft` is done, called `name`. */
  async saveAsPreset(name: string, language: string, draft: Draft): Promise<boolean> {
    const { info } = draft;
    if (info === null) return false;
    let kept = false;
    await this.#guard(async () => {
      const saved = await this.ipc.savePreset(name, language, this.request(draft), info.kind);
      await this.loadShelf();
      [draft.saved, draft.preset, kept] = [saved, saved.base, true];
    });
    return kept;
  }

  /** Takes a preset file, and says which preset it is now. */
  async importPreset(path: string): Promise<SavedPreset | null> {
    let added: SavedPreset | null = null;
    await this.#guard(async () => {
      added = await this.ipc.addPreset(path);
      await this.loadShelf();
    });
    return added;
  }

  /** Takes one of the user's presets off the shelf; files that were to be done with it get what is usual. */
  async removePreset(id: string): Promise<void> {
    await this.#guard(async () => {
      await this.ipc.removePreset(id);
      if (this.#lastSaved?.id === id) this.#lastSaved = null;
      for (const draft of this.drafts) {
        if (draft.saved?.id === id) [draft.saved, draft.preset] = [null, this.#usualFor(draft)];
      }
      await this.loadShelf();
    });
  }

  async exportPreset(id: string, to: string): Promise<void> {
    await this.#guard(() => this.ipc.exportPreset(id, to));
  }

  /** The files that a choice made at `draft` is for. */
  choosing(draft: Draft): Draft[] {
    return this.everyFile ? this.drafts.filter((other) => other.ready) : [draft];
  }

  /** Chooses what is done with `draft`, and with every other file that it fits. */
  choose(id: PresetId, draft: Draft): void {
    for (const other of this.choosing(draft)) {
      if (this.misfit(other, id) === null) [other.preset, other.saved] = [id, null];
    }
    this.#lastPreset = id;
    this.#lastSaved = null;
    // An ending of one preset means nothing to another.
    this.recipe.format = null;
  }

  /** The models that do one of these; one that cannot be read may do anything. */
  modelsFor(...tasks: Task[]): ModelEntry[] {
    return this.models.filter(({ manifest }) => manifest === null || tasks.includes(manifest.task));
  }

  /** The row of what is done with a file. */
  presetOf(draft: Draft): PresetCard | null {
    return this.presets.find((preset) => preset.id === draft.preset) ?? null;
  }

  /** Endings that the result of a file may have. */
  formatsOf(draft: Draft): readonly string[] {
    // A preset of the shelf says it.
    if (draft.saved !== null) return [];
    const preset = this.presetOf(draft);
    switch (draft.info?.kind) {
      case 'still':
        return preset?.still_formats ?? [];
      case 'audio':
        return preset?.sound_formats ?? [];
      default:
        return preset?.clip_formats ?? [];
    }
  }

  request(draft: Draft): UpscaleRequest {
    const request = this.#request(draft);
    const keep = keptFaces(draft, request);
    // Faces are those of one file, and of the settings with which they were found.
    if (keep === null || !request.redact) return request;
    return { ...request, redact: { ...request.redact, keep, keep_from_micros: request.span?.from_micros ?? 0 } };
  }

  /** What is redacted differently from when faces were looked for: they are no longer those. */
  facesAreStale(draft: Draft): boolean {
    return draft.faces !== null && draft.facesBasis !== facesBasis(this.#request(draft));
  }

  /** Looks for who is seen in a file; `false` if that was given up. */
  async findFaces(draft: Draft, onPart: (part: number) => void): Promise<boolean> {
    const request = this.#request(draft);
    const basis = facesBasis(request);
    try {
      const faces = await this.ipc.viewFaces(request, onPart);
      // The same settings number the same faces.
      if (draft.facesBasis !== basis) draft.visible = new Set();
      [draft.facesBasis, draft.faces] = [basis, faces];
      return true;
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'cancelled') return false;
      throw error;
    }
  }

  #request(draft: Draft): UpscaleRequest {
    const { model, scale, codec, quality, format, name, outputDir } = this.recipe;
    const preset = this.presetOf(draft);
    const saved = draft.saved !== null;
    const open = <T>(option: PresetOption, value: T) => (!saved && (preset === null || preset.options.includes(option)) ? value : null);
    return {
      preset: draft.preset,
      input: draft.path,
      format: format !== null && this.formatsOf(draft).includes(format) ? format : null,
      output: outputDir,
      model: open('model', model),
      scale: open('scale', scale),
      // One of pictures means nothing to sound.
      codec: this.isAlone(draft) ? null : open('codec', codec),
      // What it leaves open of the quality is as it is chosen.
      quality: saved ? quality : (open('quality', quality) ?? 'good'),
      device: 'auto',
      compute: { precision: null, deterministic: false, threads: null, priority: null },
      name_template: name,
      // Only names with a counter ask for it.
      counter: this.drafts.indexOf(draft) + 1,
      overwrite: false,
      below: draft.below,
      drop: [],
      deinterlace: 'auto',
      // Scenes are those of the whole clip.
      span: draft.info !== null && draft.info.kind !== 'still' && draft.preset !== 'scenes' ? draft.span : null,
      sample: false,
      ...(draft.saved !== null && { saved: draft.saved.id }),
      ...(!saved && wishOf(draft.preset, this.recipe.tuned[draft.preset] ?? {}, draft.info?.streams.some(({ kind }) => kind === 'audio') ?? true)),
      ...(!saved && draft.preset === 'silence' && { silence: { rule: { ...this.recipe.silence }, track: null } }),
      ...(!saved && draft.preset === 'enlarge' && (this.recipe.enlarge.fit !== null || this.recipe.enlarge.source !== null) && { enlarge: { ...this.recipe.enlarge } }),
      ...(!saved && draft.preset === 'convert' && { convert: { ...this.recipe.convert } }),
      ...(!saved && draft.preset === 'subtitles' && { subtitles: subtitleWish(this.recipe.subtitles) }),
      ...(!saved && draft.preset === 'voice' && { voice: { ...this.recipe.voice } }),
      ...(!saved && draft.preset === 'scenes' && { scenes: { ...this.recipe.scenes, chapter: t('scenes.chapter') } }),
    };
  }

  /** Works out what `draft` would become. Only the last question is answered. */
  async plan(draft: Draft): Promise<void> {
    const run = ++this.#planRun;
    try {
      const plan = await this.ipc.planUpscale(this.request(draft));
      if (run !== this.#planRun) return;
      draft.plan = plan;
      draft.planError = null;
      draft.refusedRequest = null;
      if (plan.model !== null && plan.about_micros === null) void this.#time(draft, plan.model);
    } catch (thrown) {
      if (run !== this.#planRun) return;
      draft.plan = null;
      this.#refuse(draft, thrown);
    }
  }

  /**
   * How long something takes should be known before it is started: a model that enlarges and was never
   * used here is measured once, which takes seconds. Not beside a job, which would make it seem slow.
   */
  async #time(draft: Draft, model: string): Promise<void> {
    const enlarges = this.models.find(({ id }) => id === model)?.manifest?.task === 'upscale';
    const busy = this.jobs.some(({ state }) => state === 'running' || state === 'queued');
    if (!enlarges || busy || this.#timed.has(model) || this.timing !== null) return;
    this.#timed.add(model);
    this.timing = model;
    try {
      await this.ipc.measureModel(model);
    } catch {
      // Nothing is said of the time then. Models shows why, where it is asked for.
      return;
    } finally {
      this.timing = null;
    }
    if (this.selected?.kind === 'draft' && this.selected.draft === draft && draft.plan?.model === model) await this.plan(draft);
  }

  #refuse(draft: Draft, thrown: unknown): void {
    draft.planError = toAppError(thrown);
    draft.refusedRequest = JSON.stringify(this.request(draft));
  }

  /** It is ready, what is to be done is for it, and it was not refused in this way. */
  canStart(draft: Draft): boolean {
    if (!draft.ready || this.chosenMisfit(draft) !== null) return false;
    return draft.planError === null || draft.refusedRequest !== JSON.stringify(this.request(draft));
  }

  /** Tries the settings on a few seconds; the draft stays. */
  async sample(draft: Draft): Promise<void> {
    const length = draft.info?.duration_micros;
    if (length == null || !this.canStart(draft)) return;
    const request = { ...this.request(draft), span: sampleSpan(draft.at, length, draft.span), sample: true };
    try {
      const job = await this.ipc.submitUpscale(request);
      if (!this.jobs.some((known) => known.id === job.id)) this.#setJobs([...this.jobs, job]);
      this.selectedId = `job:${job.id}`;
    } catch (thrown) {
      this.#refuse(draft, thrown);
    }
  }

  /** Submits `drafts` in order; what cannot be submitted stays with its error. */
  async start(drafts: readonly Draft[]): Promise<void> {
    const queue = drafts.filter((draft) => this.canStart(draft));
    for (const draft of queue) draft.starting = true;
    for (const draft of queue) {
      try {
        if (draft.preset === 'scenes' && this.recipe.split !== 'files') {
          await this.#saveScenes(draft);
          continue;
        }
        const [job, ...others] =
          draft.preset === 'scenes'
            ? await this.ipc.splitScenes(this.request(draft), (part) => (draft.part = part))
            : [await this.ipc.submitUpscale(this.request(draft))];
        if (!job) continue;
        for (const other of others) if (!this.jobs.some((known) => known.id === other.id)) this.#setJobs([...this.jobs, other]);
        const wasSelected = this.selectedId === draft.id;
        this.drafts = this.drafts.filter((other) => other.id !== draft.id);
        // An event may have brought it, and newer, before the answer came.
        if (!this.jobs.some((known) => known.id === job.id)) this.#setJobs([...this.jobs, job]);
        if (wasSelected) this.selectedId = `job:${job.id}`;
      } catch (thrown) {
        this.#refuse(draft, thrown);
        draft.starting = false;
      }
    }
  }

  /** Writes the shots of a clip; the draft stays, for something else may be made of them. */
  async #saveScenes(draft: Draft): Promise<void> {
    draft.written = null;
    draft.written = await this.ipc.saveScenes(this.request(draft), this.recipe.split, (part) => (draft.part = part));
    draft.starting = false;
  }

  /** A running job finishes its part first; until then it is in `pausing`. */
  async pause(id: string): Promise<void> {
    this.pausing = new Set(this.pausing).add(id);
    try {
      await this.ipc.pauseJob(id);
    } catch (thrown) {
      this.#settled(id);
      this.notice = toAppError(thrown);
    }
  }

  #settled(id: string): void {
    if (this.pausing.has(id)) this.pausing = new Set([...this.pausing].filter((other) => other !== id));
  }

  async resume(id: string): Promise<void> {
    await this.#guard(() => this.ipc.resumeJob(id));
  }

  async cancel(id: string): Promise<void> {
    await this.#guard(() => this.ipc.cancelJob(id));
  }

  async reveal(id: string): Promise<void> {
    await this.#guard(() => this.ipc.revealOutput(id));
  }

  /** The receipt of a finished job; jobs of older versions have none. */
  async receipt(id: string): Promise<Receipt | null> {
    try {
      return await this.ipc.receipt(id);
    } catch {
      return null;
    }
  }

  /** Holds the result of a job against its receipt; `null` if that failed, which is said. */
  async verify(id: string): Promise<Verification | null> {
    let found: Verification | null = null;
    await this.#guard(async () => {
      found = await this.ipc.verifyOutput(id);
    });
    return found;
  }

  /** Takes an item off the strip; the history keeps it, and files on the disk stay where they are. */
  async remove(item: Item): Promise<void> {
    if (item.kind === 'draft') {
      this.#selectNeighbour(item.id);
      this.drafts = this.drafts.filter((draft) => draft.id !== item.id);
    } else if (isTerminal(item.job)) {
      await this.#guard(async () => {
        await this.ipc.putAwayJob(item.job.id);
        this.apply({ event: 'removed', id: item.job.id });
      });
    }
  }

  /** Puts a job of the history on the strip again. */
  async takeOut(id: string): Promise<void> {
    await this.#guard(async () => {
      const job = await this.ipc.takeOutJob(id);
      if (!this.jobs.some((known) => known.id === id)) this.#setJobs([...this.jobs, job]);
    });
  }

  /** Forgets a job that is over, with its receipt; its result stays. */
  async forget(id: string): Promise<void> {
    await this.#guard(async () => {
      await this.ipc.removeJob(id);
      this.apply({ event: 'removed', id });
    });
  }

  /** Takes the recipe of a job for the files that are not started. */
  recipeOf(job: Job): void {
    const { sizes, spec } = job;
    const preset = presetOf(job);
    const enlarged = preset === 'enlarge' && sizes !== null;
    this.#lastPreset = preset;
    this.#lastSaved = null;
    this.recipe = {
      model: modelOf(job),
      scale: enlarged ? Math.max(1, Math.round(sizes.output[0] / sizes.input[0])) : null,
      quality: spec.encode.quality,
      codec: spec.encode.codec,
      tuned: { [preset]: valuesOf(job, preset) },
      silence: { ...USUAL_SILENCE },
      voice: { ...USUAL_VOICE },
      enlarge: { ...USUAL_ENLARGE },
      convert: { ...USUAL_CONVERT },
      subtitles: { ...USUAL_SUBTITLES },
      scenes: { ...USUAL_SCENES },
      split: 'files',
      format: null,
      name: null,
      outputDir: folderOf(spec.output) === folderOf(spec.input) ? null : folderOf(spec.output),
    };
  }

  /** Takes off what is over. A failed job stays where it can be tried again. */
  async clearFinished(): Promise<void> {
    for (const item of this.items.filter((item) => item.kind === 'job' && isFinished(item.job))) {
      await this.remove(item);
    }
  }

  async saveSettings(change: Partial<Settings>): Promise<void> {
    const before = this.settings;
    const settings = { ...before, ...change };
    this.settings = settings;
    try {
      await this.ipc.setSettings(settings);
    } catch (thrown) {
      this.notice = toAppError(thrown);
      // What the program did not take does not hold.
      if (this.settings === settings) this.settings = before;
    }
  }

  /** Takes over what the program tells. */
  apply(event: JobEvent): void {
    switch (event.event) {
      case 'changed': {
        const before = this.jobs.find((job) => job.id === event.job.id);
        this.#setJobs([...this.jobs.filter((job) => job.id !== event.job.id), event.job]);
        if (event.job.state !== 'running' && event.job.state !== 'queued') this.#settled(event.job.id);
        if (before && before.state !== event.job.state) this.listener.jobState?.(event.job);
        break;
      }
      case 'progress': {
        let moved: Job | null = null;
        this.jobs = this.jobs.map((job) => {
          if (job.id !== event.id) return job;
          moved = { ...job, progress: event.progress };
          return moved;
        });
        if (moved) this.listener.jobProgress?.(moved);
        break;
      }
      case 'removed':
        this.#selectNeighbour(`job:${event.id}`);
        this.jobs = this.jobs.filter((job) => job.id !== event.id);
        break;
    }
  }

  /** Moves the choice `step` items along the strip, or to an end with ±Infinity. */
  move(step: number): void {
    const items = this.items;
    if (items.length === 0) return;
    const at = items.findIndex((item) => item.id === this.selectedId);
    const next = Math.min(items.length - 1, Math.max(0, (at < 0 ? 0 : at) + step));
    this.selectedId = items[next]?.id ?? null;
  }

  #selectNeighbour(leaving: string): void {
    if (this.selectedId !== leaving) return;
    const at = this.items.findIndex((item) => item.id === leaving);
    this.selectedId = (this.items[at + 1] ?? this.items[at - 1])?.id ?? null;
  }

  #setJobs(jobs: Job[]): void {
    this.jobs = jobs.sort((a, b) => a.created_millis - b.created_millis || (a.id < b.id ? -1 : 1));
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (thrown) {
      this.notice = toAppError(thrown);
    }
  }
}

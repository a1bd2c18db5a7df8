/**
 * `Ipc` without a program behind it, for tests and for working on the window in a browser
 * (`npm run dev:fake`). It is not part of the product: `main.ts` imports it in the mode `fake` only.
 */
import type { AppError } from './bindings/AppError';
import type { Clipboard } from './bindings/Clipboard';
import type { Job } from './bindings/Job';
import type { JobEvent } from './bindings/JobEvent';
import type { MediaInfo } from './bindings/MediaInfo';
import type { ModelEntry } from './bindings/ModelEntry';
import type { Node } from './bindings/Node';
import type { Receipt } from './bindings/Receipt';
import type { Settings } from './bindings/Settings';
import type { SoundFigures } from './bindings/SoundFigures';
import type { Warning } from './bindings/Warning';
import type { UpscaleRequest } from './bindings/UpscaleRequest';
import { HEARING } from '../state/tuned';
import { canvasFake } from './canvas-fake';
import { paintScene, paintWorn } from './fake-scene';
import { fakeOutput, homeFake, isAlone, silenceOf, SOUND_FILE } from './home-fake';
import { presetsFake } from './presets-fake';
import type { Ipc } from './ipc';
import { libraryFake, type LibraryFake } from './library-fake';
import { projectFake } from './project-fake';
import { fakeQueue } from './queue-fake';
import { fakeModels, type ModelsFake } from './models-fake';
import { fakeShell, type ShellFake } from './shell-fake';

/** What a program says, as it says it now and as an older one did. */
const LOST: Warning[] = [
  { kind: 'dropped', what: 'the maker note of the camera', said: { code: 'lost.maker_note', text: 'the maker note of the camera' } },
  { kind: 'dropped', what: 'gain maps' },
];

const STILL = /\.(png|jpe?g|webp|tiff?|avif)$/i;

function seedOf(text: string): number {
  let seed = 7;
  for (const char of text) seed = (seed * 31 + char.charCodeAt(0)) % 9973;
  return seed;
}

/** What is told of a result that is sound alone. */
function soundReceipt(job: Job): Partial<Receipt> {
  const loudness = { target: -16, peak: -1, before: -23.4, found: -16.02, found_peak: -1.3, limited: false };
  const sound = [{ track: 0, codec: 'aac', sample_rate: 48_000, samples: (job.progress.total ?? 1) * 48_000, offset_micros: null, loudness }];
  return {
    encoder: ['aac', []],
    provider: null,
    sizes: null,
    checks: { frames: 0, span_micros: null, times_sha256: null, streams: 1, pictures: null, sound },
  };
}

function fakeReceipt(job: Job): Receipt {
  const print = { name: 'a file', size_bytes: 1_000_000, sha256: '5f0a'.repeat(16) };
  return {
    version: 1,
    job: job.id,
    finished_millis: job.finished_millis ?? 0,
    program: { version: '0.1.0', system: 'linux-x86_64', onnxruntime: '1.31.1', ffmpeg: [['libavcodec', '59.37.100']] },
    input: print,
    others: [],
    output: print,
    models: [{ id: 'loom-x2-web', sha256: 'c0de'.repeat(16) }],
    graph: job.spec.graph,
    encode: job.spec.encode,
    encoder: ['libx264', [['crf', '18']]],
    device: job.spec.device,
    precision: job.spec.compute.precision,
    deterministic: job.spec.compute.deterministic,
    provider: job.provider,
    sizes: { input: [640, 360], output: [1280, 720] },
    warnings: job.warnings,
    checks: {
      frames: job.progress.done,
      span_micros: [0, 10_000_000],
      times_sha256: 'beef'.repeat(16),
      streams: 2,
      pictures: {
        compared: job.progress.done,
        looked_at: 0,
        worst_shift: 0.0004,
        worst_difference: 0.0007,
        worst_displacement_pixels: 0.01,
        worst_seam: 0.0004,
      },
    },
    memory_bytes: 412_000_000,
    ...(job.sizes === null && soundReceipt(job)),
  };
}

/** What encodes sound for a file of this name. */
function soundEncoder(output: string): string {
  const ending = output.slice(output.lastIndexOf('.') + 1);
  return { mp3: 'libmp3lame', wav: 'pcm_s16le', flac: 'flac', ogg: 'libvorbis', opus: 'libopus' }[ending] ?? 'aac';
}

const secondsOf = (path: string) => (path.includes('long') ? 600 : 8 + (seedOf(path) % 50));

/** A file of sound alone. What is cut is as long as the fake's silence leaves it. */
function soundInfo(path: string): MediaInfo {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const codec = { wav: 'pcm_s16le', m4a: 'aac', ogg: 'vorbis', wma: 'wmav2', aiff: 'pcm_s16be' }[ending] ?? ending;
  return {
    kind: 'audio',
    container: ending,
    size_bytes: 400_000 + seedOf(path) * 90,
    duration_micros: (/_cut\.\w+$/.test(path) ? 9.8 : secondsOf(path.replace(/_(even|voice)(\.\w+)$/, '$2'))) * 1_000_000,
    bit_rate: 128_000,
    streams: [
      {
        index: 0,
        kind: 'audio',
        codec,
        profile: null,
        time_base: { num: 1, den: 44_100 },
        start_ticks: 0,
        duration_ticks: null,
        frame_count: null,
        bit_rate: 128_000,
        language: null,
        dispositions: ['default'],
        tags: {},
        video: null,
        audio: { sample_rate: 44_100, channels: 2, layout: 'stereo' },
      },
    ],
    chapters: [],
    tags: {},
    warnings: [],
  };
}

export function fakeInfo(path: string): MediaInfo {
  if (SOUND_FILE.test(path)) return soundInfo(path);
  const still = STILL.test(path);
  const seconds = still ? null : secondsOf(path);
  const silent = still || path.includes('silent');
  return {
    kind: still ? 'still' : 'video',
    container: still ? 'png' : 'mov,mp4,m4a,3gp,3g2,mj2',
    size_bytes: 1_400_000 + seedOf(path) * 900,
    duration_micros: seconds === null ? null : seconds * 1_000_000,
    bit_rate: still ? null : 1_800_000,
    streams: [
      {
        index: 0,
        kind: 'video',
        codec: still ? 'png' : 'h264',
        profile: null,
        time_base: { num: 1, den: 12_800 },
        start_ticks: 0,
        duration_ticks: null,
        frame_count: seconds === null ? 1 : seconds * 25,
        bit_rate: null,
        language: null,
        dispositions: ['default'],
        tags: {},
        video: {
          width: 640,
          height: 360,
          pixel_format: 'yuv420p',
          bit_depth: 8,
          frame_rate: still ? null : { num: 25, den: 1 },
          variable_frame_rate: still ? null : false,
          sample_aspect_ratio: { num: 1, den: 1 },
          rotation_degrees: 0,
          mirrored: false,
          color: {
            primaries: 'bt709',
            transfer: 'bt709',
            matrix_name: 'bt709',
            matrix: 'bt709',
            range: 'limited',
            chroma_location: 'left',
          },
          alpha: false,
          field_order: path.includes('interlaced') ? 'top_first' : 'progressive',
          hdr_metadata: false,
          dolby_vision: false,
        },
        audio: null,
      },
      ...(silent
        ? []
        : [
            {
              index: 1,
              kind: 'audio' as const,
              codec: 'aac',
              profile: null,
              time_base: { num: 1, den: 48_000 },
              start_ticks: 0,
              duration_ticks: null,
              frame_count: null,
              bit_rate: 128_000,
              language: 'eng',
              dispositions: ['default'],
              tags: {},
              video: null,
              audio: { sample_rate: 48_000, channels: 2, layout: 'stereo' },
            },
          ]),
    ],
    chapters: [],
    tags: {},
    warnings: [
      ...(path.includes('untagged') ? [{ kind: 'guessed_matrix' as const, matrix: 'BT.601' }] : []),
      ...(path.includes('scan') ? LOST : []),
    ],
  };
}

function model(id: string, name: string, sha256: string, summary: Record<string, string>): ModelEntry {
  return {
    id,
    manifest: {
      version: 1,
      id,
      name,
      task: 'upscale',
      scale: 2,
      file: `${id}.onnx`,
      sha256,
      size_bytes: 99_436,
      licence: { spdx: 'CC0-1.0', attribution: null },
      input: { name: 'y', layout: 'nchw', color: 'luma', range: 'studio_255', type: 'float32' },
      output: { name: 'subpixel', layout: 'nchw', packing: 'subpixel' },
      tile: { overlap: 13, feather: 0, multiple: 1, min: 16, max: null, preferred: 256 },
      restyles: false,
      summary,
    },
    state: 'ready',
    message: null,
    bundled: true,
  };
}

const MODELS: ModelEntry[] = [
  model('loom-x2', 'Loom x2', '06315eded2033142bc9d0bd583c77b968c1b33dd2308db482c07ba21825cc9b7', {
    en: 'Doubles the size of clean video and pictures and keeps edges and texture as they were taken.',
    vi: 'Phóng to gấp đôi video và ảnh sạch, giữ nguyên đường nét và chất liệu như lúc ghi hình.',
    fr: 'Double la taille des vidéos et images propres en gardant les contours et la matière d’origine.',
  }),
  model('loom-x2-web', 'Loom x2 Web', '7a59b12ba308a51b183373423dac42ad70d45671541bf035dc6a63578d972e64', {
    en: 'Doubles the size of compressed web video and pictures while removing blocks, ringing and light noise instead of sharpening them.',
    vi: 'Phóng to gấp đôi video và ảnh nén từ web, đồng thời khử vỡ khối, viền nhiễu và nhiễu hạt nhẹ thay vì làm chúng rõ hơn.',
    fr: 'Double la taille des vidéos et images compressées du web en retirant les blocs, les halos et le bruit léger au lieu de les accentuer.',
  }),
];

/** Models of sound, two of each kind. */
const EARS: ModelEntry[] = (
  [
    ['silero', 'Silero VAD', 'voice_activity'],
    ['marble', 'MarbleNet', 'voice_activity'],
    ['gtcrn', 'GTCRN', 'speech_cleaning'],
    ['dns', 'DNS', 'speech_cleaning'],
  ] as const
).map(([id, name, task]) => {
  const entry = model(id, name, 'ea55'.repeat(16), {});
  return { ...entry, bundled: false, manifest: entry.manifest && { ...entry.manifest, task, scale: 1 } };
});

function refusal(path: string): AppError | null {
  if (path.includes('broken')) {
    return {
      code: 'input_unreadable',
      message: `The file has no index (moov atom); its recording or download was cut off: ${path}.`,
      said: {
        code: 'file.no_index',
        text: `the file has no index (moov atom); its recording or download was cut off: ${path}`,
        values: { path },
      },
      hint: 'Open it in a player; if that fails too, copy or download it again.',
      details: 'avformat_open_input: Invalid data found when processing input',
    };
  }
  return null;
}

/** How long the sound is that a request makes. */
function lengthOf(request: UpscaleRequest): number {
  if (request.preset === 'silence') return silenceOf(request).kept_micros;
  if (request.span) return request.span.to_micros - request.span.from_micros;
  return fakeInfo(request.input).duration_micros ?? 0;
}

function pictureNodes(request: UpscaleRequest): Node[] {
  if (request.preset === 'loudness' || request.preset === 'voice') return soundNodes(request);
  return request.preset === 'enlarge'
    ? [{ id: 'n1', op: 'upscale', params: { model: request.model ?? 'loom-x2-web' } }]
    : [{ id: 'n1', op: 'denoise', params: { sigma: 4, model: null } }];
}

/** What is done to sound alone: the same nodes as in the program, without their wires. */
function soundNodes(request: UpscaleRequest): Node[] {
  const seconds = (micros: number) => (micros / 1_000_000).toFixed(3);
  const loudness: Node = { id: 'loudness', op: 'loudness', params: { target: -16, peak: -1 } };
  switch (request.preset) {
    case 'silence': {
      const keep = silenceOf(request).kept.map(({ from_micros, to_micros }) => `${seconds(from_micros)}-${seconds(to_micros)}`);
      return [{ id: 'cut', op: 'cut', params: { keep: keep.join('\n'), fade: 10 } }];
    }
    case 'loudness':
      return [loudness];
    case 'voice':
      return [{ id: 'voice', op: 'audio_denoise', params: { reduction: 12, model: 'speech', strength: 1 } }, loudness];
    default:
      return [];
  }
}

const PLAIN_REQUEST: UpscaleRequest = {
  ...{ preset: 'enlarge', format: null, input: '', output: null, model: null, scale: null, codec: null, quality: 'good', device: 'auto' },
  ...{ name_template: null, counter: null, overwrite: false, drop: [], deinterlace: 'auto', below: '', span: null, sample: false },
  compute: { precision: null, deterministic: false, threads: null, priority: null },
};

/** What was done in the past. */
const PAST = [
  '/home/mai/Phim/ngõ nhỏ Hà Nội.mp4', '/home/mai/Phim/đá và nước.mov', '/home/mai/Ảnh/chợ Đồng Xuân.png',
  '/home/mai/Phim/harbour-untagged.mov', '/home/mai/Phim/fête de l’été.mkv', '/home/mai/Ảnh/grandmother 1968.jpg',
];

export interface FakeOptions {
  /** Nobody knows how long anything takes, until the model is measured. */
  unmeasured?: boolean;
  files?: string[];
  settings?: Partial<Settings>;
  /** Milliseconds between two steps of a job; each step is `stepFrames` frames. */
  tickMillis?: number;
  stepFrames?: number;
  chosen?: string[];
  /** Sources of jobs that were cut short before. */
  cut?: string[];
  /** Items in the library. */
  library?: number;
  /** Sources of jobs that were submitted before: they wait, and are asked about. */
  waiting?: string[];
  /** Number of jobs that were finished before. */
  past?: number;
  /** Whether a project has changes that were not saved. */
  recovery?: boolean;
  /** Seconds until the machine sleeps. */
  countdown?: number;
  clipboard?: Clipboard;
  /** A model is installed that tells a foreground from its background. */
  matting?: boolean;
  /** A model that hears speech is installed. */
  voice?: boolean;
  /** Models of sound can be chosen. */
  ears?: boolean;
}

/** The fake, and what a test needs to look behind it. */
export interface FakeIpc extends Ipc, LibraryFake, ModelsFake, ShellFake {
  readonly jobs: Map<string, Job>;
  readonly calls: string[];
  emit(event: JobEvent): void;
  /** The button that closes the window, while a job runs. */
  askToClose(): void;
  /** Files let go over the window. */
  dropFiles(paths: string[]): void;
}

export function fakeIpc(options: FakeOptions = {}): FakeIpc {
  const jobs = new Map<string, Job>();
  const calls: string[] = [];
  const pictures = new Map<string, string>();
  let settings: Settings = { language: 'system', theme: 'system', output_dir: null, compute: { precision: 'exact', deterministic: false, threads: null, priority: 'normal' }, at_start: 'ask', scale_percent: 100, shortcuts: {}, tray: 'while_busy', proxy: { kind: 'system' }, offline: false, kept_limit: 5, ...options.settings };
  let listen: (event: JobEvent) => void = () => {};
  let askToClose = () => {};
  let dropFiles: (paths: string[]) => void = () => {};
  let count = 0;

  const change = (id: string, part: Partial<Job>) => {
    const job = jobs.get(id);
    if (!job) throw { code: 'job_not_found', message: 'There is no such job.', hint: null, details: null };
    const next = { ...job, ...part };
    jobs.set(id, next);
    listen({ event: 'changed', job: next });
  };

  const tick = () => {
    for (const job of [...jobs.values()].filter((job) => job.state === 'running')) step(job);
    queue.look();
  };
  const step = (running: Job) => {
    const total = running.progress.total ?? 1;
    const done = Math.min(total, running.progress.done + (options.stepFrames ?? 2));
    const fps = 21.4 + Math.sin(done / 9);
    const progress = {
      ...running.progress,
      done,
      fps,
      elapsed_micros: running.progress.elapsed_micros + 90_000,
      remaining_micros: Math.round(((total - done) / fps) * 1_000_000),
      step: done < 3 ? ('preparing' as const) : done >= total ? ('verifying' as const) : ('processing' as const),
    };
    if (running.spec.input.includes('fails') && done > total / 3) {
      const error = { code: 'out_of_memory' as const, message: 'Memory ran out.', hint: 'Close other programs, then try again.', details: 'allocation of 812 MB failed' };
      change(running.id, { state: 'failed', progress, error, finished_millis: Date.now() });
    } else if (running.spec.input.includes('crash') && done > total / 2) {
      change(running.id, {
        state: 'interrupted',
        progress,
        error: {
          code: 'disk_full',
          message: 'The disk of the results folder is full.',
          hint: 'Free some space, then resume. The finished part is kept.',
          details: 'write segment 4: No space left on device (os error 28)',
        },
      });
    } else if (done >= total) {
      change(running.id, { state: 'succeeded', progress, finished_millis: Date.now() });
    } else {
      const next = { ...running, progress };
      jobs.set(running.id, next);
      listen({ event: 'progress', id: running.id, progress });
    }
  };
  setInterval(tick, options.tickMillis ?? 90);

  const frames = (path: string) => fakeInfo(path).streams[0]?.frame_count ?? 1;
  const cached = (key: string, make: () => string) => {
    const known = pictures.get(key) ?? make();
    pictures.set(key, known);
    return known;
  };

  const queue = fakeQueue({
    jobs,
    calls,
    change,
    again: (job) =>
      ipc.submitUpscale({ ...PLAIN_REQUEST, input: job.spec.input, quality: job.spec.encode.quality, codec: job.spec.encode.codec }),
    removed: (id) => listen({ event: 'removed', id }),
    countdownSeconds: options.countdown ?? 60,
    leftOver: (options.waiting ?? []).length > 0,
  });

  // A list of its own for every window: models come and go.
  const models = [...MODELS, ...(options.ears ? EARS : [])];
  const ipc: FakeIpc = {
    ...libraryFake(options.library ?? 0, calls, fakeInfo),
    ...queue.ipc,
    ...homeFake(calls, options.clipboard ?? 'nothing', options.matting ?? true, options.voice ?? true, (request) => ipc.submitUpscale(request)),
    ...presetsFake(calls, options.matting ?? true),
    ...fakeModels(calls, models),
    ...fakeShell(calls, models),
    ...canvasFake({
      calls,
      submit: (request) => ipc.submitUpscale(request),
      jobs: () => ipc.listJobs(),
      paint: (key) =>
        cached(`n ${key}`, () => {
          const { path, size, at, name } = JSON.parse(key) as { path: string; size: [number, number]; at: number; name: string };
          const [width, height] = [Math.min(640, size[0]), Math.round((Math.min(640, size[0]) * size[1]) / size[0])];
          const scene = paintScene(width, height, seedOf(path), at / 1_000_000);
          if (!name.includes('flip')) return scene.toDataURL('image/jpeg', 0.9);
          const turned = document.createElement('canvas');
          [turned.width, turned.height] = [width, height];
          const pen = turned.getContext('2d');
          pen?.scale(-1, 1);
          pen?.drawImage(scene, -width, 0);
          return turned.toDataURL('image/jpeg', 0.9);
        }),
    }),
    ...projectFake({ calls }, { recovery: options.recovery ?? false }),
    jobs,
    calls,
    emit: (event) => listen(event),
    startFiles: async () => options.files ?? [],
    expandInputs: async (paths) => ({ files: paths.map((path) => ({ path, below: '' })), refused: [] }),
    probeMedia: async (path) => {
      const error = refusal(path);
      if (error) throw error;
      return fakeInfo(path);
    },
    listModels: async () => [...models],
    planUpscale: async (request) => {
      calls.push(`plan ${JSON.stringify(request)}`);
      const scale = request.preset === 'enlarge' ? (request.scale ?? 2) : 1;
      const still = STILL.test(request.input);
      return {
        output: fakeOutput(request),
        ...(isAlone(request)
          ? { sizes: null, length_micros: lengthOf(request) }
          : { sizes: { input: [640, 360] as [number, number], output: [640 * scale, 360 * scale] as [number, number] }, length_micros: null }),
        frames: isAlone(request) ? null : frames(request.input),
        model: request.preset === 'enlarge' ? (request.model ?? 'loom-x2-web') : options.ears && request.preset in HEARING ? (request.model ?? models.find(({ manifest }) => manifest?.task === HEARING[request.preset])?.id ?? null) : null,
        encoder: still ? null : isAlone(request) ? (request.preset === 'sound' && request.format === null ? 'copy' : soundEncoder(fakeOutput(request))) : request.preset === 'voice' ? 'copy' : 'libx264',
        warnings: fakeInfo(request.input).warnings,
        encoder_parameters: [['crf', '17']],
        about_micros: options.unmeasured && !calls.some((call) => call.startsWith('measure ')) ? null : (frames(request.input) ?? 30) * 40_000,
      };
    },
    submitUpscale: async (request) => {
      count += 1;
      const made = isAlone(request) ? soundNodes(request) : pictureNodes(request);
      const job: Job = {
        id: `fake-${count}`,
        spec: {
          version: 1,
          input: request.input,
          output: fakeOutput(request),
          overwrite: false,
          graph: {
            version: 2,
            nodes: [
              { id: 'n0', op: 'source', params: {} },
              ...(request.span
                ? [
                    {
                      id: 'trim',
                      op: 'trim' as const,
                      params: {
                        start: { num: request.span.from_micros, den: 1_000_000 },
                        end: { num: request.span.to_micros, den: 1_000_000 },
                      },
                    },
                  ]
                : []),
              ...made,
              { id: 'n2', op: 'sink' },
            ],
            edges: made.some(({ id }) => id === 'n1')
              ? [
                  { from: 'n0', to: 'n1' },
                  { from: 'n1', to: 'n2' },
                ]
              : [],
          },
          encode: { codec: request.codec, quality: request.quality, drop: request.drop },
          device: request.device,
          compute: settings.compute,
          upright: false,
          sample: request.sample,
        },
        state: 'queued',
        progress: {
          done: 0,
          total: isAlone(request) ? Math.ceil(lengthOf(request) / 1_000_000) : frames(request.input),
          fps: 0,
          elapsed_micros: 0,
          remaining_micros: null,
          step: 'preparing',
        },
        error: null,
        warnings: fakeInfo(request.input).warnings,
        provider: {
          provider: 'CPUExecutionProvider',
          fallback_reason: null,
          device: 'cpu',
          arithmetic: 'f32',
          on_processor: true,
          reason: null,
        },
        sizes: isAlone(request) ? null : { input: [640, 360], output: [1280, 720] },
        created_millis: Date.now() + count,
        finished_millis: null,
      };
      jobs.set(job.id, job);
      listen({ event: 'changed', job });
      return job;
    },
    listJobs: async () => [...jobs.values()].filter((job) => !queue.putAway.has(job.id)),
    pauseJob: async (id) => change(id, { state: 'paused' }),
    resumeJob: async (id) => change(id, { state: 'queued', error: null }),
    cancelJob: async (id) => change(id, { state: 'cancelled', finished_millis: Date.now() }),
    removeJob: async (id) => {
      jobs.delete(id);
      listen({ event: 'removed', id });
    },
    watchJobs: async (onEvent) => {
      listen = onEvent;
    },
    revealOutput: async (id) => {
      calls.push(`reveal ${id}`);
    },
    receipt: async (id) => {
      const job = jobs.get(id);
      if (job?.state !== 'succeeded') throw { code: 'job_state', message: 'no receipt' };
      return fakeReceipt(job);
    },
    verifyOutput: async (id) => {
      const job = jobs.get(id);
      if (!job) throw { code: 'job_not_found', message: 'no such job' };
      calls.push(`verify ${id}`);
      const genuine = !job.spec.input.includes('changed');
      return {
        genuine,
        receipt: fakeReceipt(job),
        findings: [{ what: 'output', verdict: genuine ? 'same' : 'differs', says: 'SHA-256 5f0a' }],
      };
    },
    likeness: async (id) => {
      calls.push(`likeness ${id}`);
      return { before_bytes: 2_400_000, after_bytes: 6_100_000, picture: { psnr_db: 38.42, ssim: 0.9731 }, blemishes: { before: { noise: 4.2, blocks: 1.9 }, after: { noise: 1.1, blocks: 0.2 } } };
    },
    soundOfBoth: async (id) => {
      const job = jobs.get(id);
      if (job?.state !== 'succeeded') throw { code: 'job_state', message: 'no result' };
      calls.push(`sound of both ${id}`);
      const { input, output } = job.spec;
      const figures = (path: string, loudness: number, peak: number): SoundFigures => ({
        size_bytes: fakeInfo(path).size_bytes,
        length_micros: fakeInfo(path).duration_micros ?? 0,
        ...(input.includes('mute') ? { loudness: null, peak: null } : { loudness, peak }),
      });
      return { before: figures(input, -23.44, -4.12), after: figures(output, -16.02, -1.3) };
    },
    getSettings: async () => settings,
    setSettings: async (next) => {
      if (next.proxy.kind === 'address' && !/^(https?|socks5):\/\/[^@\s/]+:\d+\/?$/.test(next.proxy.url)) {
        throw { code: 'invalid_request', message: 'This is not the address of a proxy.', hint: null, details: null };
      }
      settings = next;
      calls.push(`settings ${JSON.stringify(next)}`);
    },
    lookAtMachine: async () => ({
      version: '0.1.0',
      system: 'Linux (Debian GNU/Linux 12)',
      architecture: 'x86_64',
      processor: 'AMD Ryzen 7 5800X 8-Core Processor',
      cores: 8,
      memory_bytes: 33_600_000_000,
      available_memory_bytes: 21_000_000_000,
      runtime: {
        Ok: {
          version: '1.31.1',
          library: '/home/mai/libonnxruntime.so',
          devices: [{ kind: 'processor', vendor: 'AMD', provider: 'CPUExecutionProvider' }],
          providers: [
            { name: 'cpu', speed: { Ok: 41.3 } },
            { name: 'cuda', speed: { Err: 'There is no NVIDIA card.' } },
          ],
        },
      },
      ffmpeg: [{ name: 'libavcodec', version: '59.37.100', licence: 'GPL' }],
      encoders: [
        { name: 'libx264', problem: null },
        { name: 'libsvtav1', problem: null },
        { name: 'h264_nvenc', problem: 'no device' },
      ],
      data_folder: '/home/mai/.local/share/frameloom',
      free_bytes: 412_000_000_000,
    }),
    onCloseAsked: async (handler) => {
      askToClose = handler;
      return () => {};
    },
    pageIsUp: async () => {},
    answerClose: async (answer) => {
      calls.push(`close ${answer}`);
    },
    askToClose: () => askToClose(),
    chooseFiles: async () => options.chosen ?? ['/home/mai/Phim/ngõ nhỏ Hà Nội.mp4', '/home/mai/Phim/harbour-untagged.mov'],
    chooseFolder: async (title) => (/come into/.test(title) ? '/home/mai/Vào' : '/home/mai/Kết quả'),
    onFileDrop: async (handlers) => {
      dropFiles = (paths) => handlers.drop(paths);
      return () => {};
    },
    dropFiles: (paths) => dropFiles(paths),
    thumbnailUrl: (path, size) =>
      cached(`t ${path} ${size}`, () => {
        const width = Math.min(size, 640);
        return paintWorn(width, Math.round((width * 9) / 16), seedOf(path), 0);
      }),
    clipUrl: (path, atMicros, size) =>
      cached(`c ${path} ${atMicros} ${size}`, () => paintWorn(640, 360, seedOf(path), atMicros / 1_000_000)),
    frameUrl: (id, side, atMicros) =>
      cached(`f ${id} ${side} ${atMicros}`, () => {
        const seed = seedOf(jobs.get(id)?.spec.input ?? '');
        const time = atMicros / 1_000_000;
        return side === 'after'
          ? paintScene(1280, 720, seed, time).toDataURL('image/png')
          : paintWorn(640, 360, seed, time);
      }),
  };
  const before = (input: string, part: (job: Job) => Partial<Job>) => {
    // It makes its job before it first waits.
    void ipc.submitUpscale({ ...PLAIN_REQUEST, input });
    const job = jobs.get(`fake-${count}`);
    if (job) jobs.set(job.id, { ...job, ...part(job) });
  };
  for (const input of options.cut ?? []) {
    before(input, (job) => ({ state: 'interrupted', progress: { ...job.progress, done: 40 } }));
  }
  for (const input of options.waiting ?? []) before(input, () => ({}));
  for (let past = 0; past < (options.past ?? 0); past += 1) {
    const finished_millis = Date.UTC(2026, 10, 20, 9, 30) - past * 5_400_000;
    before(PAST[past % PAST.length] ?? '', (job) => ({
      state: past % 7 === 3 ? 'failed' : past % 11 === 5 ? 'cancelled' : 'succeeded',
      progress: { ...job.progress, done: job.progress.total ?? 1, fps: 21.4, elapsed_micros: (40 + (past % 9) * 31) * 1_000_000 },
      created_millis: finished_millis - 400_000,
      finished_millis,
      error: past % 7 === 3 ? { code: 'out_of_memory', message: 'Memory ran out.', hint: 'Close other programs, then try again.', details: null } : null,
    }));
    void queue.ipc.putAwayJob(`fake-${count}`);
  }
  return ipc;
}

/** `HomeIpc` without a program: the table of presets as the program has it, and a tone. */
import type { Clipboard } from './bindings/Clipboard';
import type { MediaInfo } from './bindings/MediaInfo';
import type { Misfit } from './bindings/Misfit';
import type { PresetCard } from './bindings/PresetCard';
import type { PresetId } from './bindings/PresetId';
import type { Job } from './bindings/Job';
import type { FacesView } from './bindings/FacesView';
import type { ScenesView } from './bindings/ScenesView';
import type { SilenceView } from './bindings/SilenceView';
import type { Span } from './bindings/Span';
import type { UpscaleRequest } from './bindings/UpscaleRequest';
import type { HomeIpc } from './home';

const CLIP_FORMATS = ['mp4', 'mkv', 'mov', 'webm'];
const STILL_FORMATS = ['png', 'jpg', 'webp', 'tiff'];
const SOUND_FORMATS = ['m4a', 'mp3', 'wav', 'flac', 'ogg', 'opus'];
/** What is of sound takes it with pictures and without. */
const HEARD: Partial<PresetCard> = { takes: ['video', 'audio'], sound_formats: SOUND_FORMATS };

const row = (id: PresetId, part: Partial<PresetCard> = {}): PresetCard => ({
  id,
  takes: ['video'],
  options: [],
  clip_formats: CLIP_FORMATS,
  still_formats: [],
  sound_formats: [],
  follows_source: true,
  ...part,
});

export const FAKE_PRESETS: PresetCard[] = [
  row('enlarge', { takes: ['video', 'still'], options: ['scale', 'model', 'quality', 'codec'], still_formats: STILL_FORMATS }),
  row('clean', { takes: ['video', 'still'], options: ['quality', 'codec'], still_formats: STILL_FORMATS }),
  row('deinterlace', { options: ['quality', 'codec'] }),
  row('share', {
    takes: ['video', 'still'],
    options: ['quality'],
    clip_formats: ['mp4', 'mov', 'mkv'],
    still_formats: ['jpg', 'webp', 'png'],
    follows_source: false,
  }),
  row('animate', { clip_formats: ['webp', 'gif', 'apng'], follows_source: false }),
  row('loudness', { ...HEARD, options: ['codec'] }),
  row('frames', { clip_formats: ['png', 'jpg', 'tiff', 'webp'], follows_source: false }),
  row('archive', { clip_formats: ['mkv'], follows_source: false }),
  row('cutout', {
    takes: ['video', 'still'],
    options: ['quality'],
    clip_formats: ['mov', 'webm', 'mkv', 'webp'],
    still_formats: ['png', 'webp', 'tiff'],
    follows_source: false,
  }),
  row('defocus', { takes: ['video', 'still'], options: ['quality', 'codec'], still_formats: STILL_FORMATS }),
  row('backdrop', { takes: ['video', 'still'], options: ['quality', 'codec'], still_formats: STILL_FORMATS }),
  row('redact', { takes: ['video', 'still'], options: ['quality', 'codec'], still_formats: STILL_FORMATS }),
  row('steady', { options: ['quality', 'codec'] }),
  row('smooth', { options: ['quality', 'codec'] }),
  row('reframe', { takes: ['video', 'still'], options: ['quality', 'codec'], still_formats: STILL_FORMATS }),
  row('light', { takes: ['video', 'still'], options: ['quality', 'codec'], still_formats: STILL_FORMATS }),
  row('style', { takes: ['video', 'still'], options: ['quality', 'codec'], still_formats: STILL_FORMATS }),
  row('depth', { takes: ['video', 'still'], options: ['quality', 'codec'], still_formats: STILL_FORMATS }),
  row('silence', { ...HEARD, options: ['quality', 'codec'] }),
  row('voice', { ...HEARD, options: ['codec'] }),
  row('scenes', { options: ['quality', 'codec'] }),
  row('convert', { takes: ['still'], options: ['quality'], clip_formats: [], still_formats: STILL_FORMATS }),
  row('subtitles', { options: ['quality', 'codec'] }),
  row('sound', { ...HEARD, options: ['quality'], clip_formats: SOUND_FORMATS, follows_source: false }),
];

const LONGEST_ANIMATION = 60_000_000;

function misfitOf(id: PresetId, info: MediaInfo, span: Span | null, hasMatting: boolean, hasVoice: boolean): Misfit | null {
  const preset = FAKE_PRESETS.find((preset) => preset.id === id);
  if (info.kind === 'audio' && preset?.takes.includes('audio')) return id === 'silence' && !hasVoice ? { reason: 'no_voice_model' } : null;
  if (info.kind !== 'video' && info.kind !== 'still') return { reason: 'no_picture' };
  if (!preset?.takes.includes(info.kind)) return { reason: info.kind === 'still' ? 'not_a_clip' : 'not_for_it' };
  const taken = span ? span.to_micros - span.from_micros : (info.duration_micros ?? 0);
  if (!hasMatting && ['cutout', 'defocus', 'backdrop', 'redact', 'style', 'depth'].includes(id)) return { reason: 'no_model' };
  if (info.kind === 'still') return null;
  if (id === 'silence' && !hasVoice) return { reason: 'no_voice_model' };
  if (id === 'deinterlace' && info.streams[0]?.video?.field_order === 'progressive') return { reason: 'not_interlaced' };
  if (['loudness', 'silence', 'voice', 'sound'].includes(id) && !info.streams.some((stream) => stream.kind === 'audio')) return { reason: 'no_sound' };
  if (id === 'animate' && taken > LONGEST_ANIMATION) return { reason: 'too_long', most_micros: LONGEST_ANIMATION };
  return null;
}

/** Files of sound alone, by their names. */
export const SOUND_FILE = /\.(wav|mp3|flac|m4a|ogg|opus|aiff?|wma|mka)$/i;

/** The result of a request is sound alone. */
export function isAlone({ input, preset }: Pick<UpscaleRequest, 'input' | 'preset'>): boolean {
  return SOUND_FILE.test(input) || preset === 'sound';
}

/** The name that the program gives to a result. */
export function fakeOutput(request: UpscaleRequest): string {
  const name = request.input.split('/').at(-1) ?? '';
  const folder = request.output ?? request.input.slice(0, request.input.lastIndexOf('/'));
  const dot = name.lastIndexOf('.');
  const [stem, own] = [name.slice(0, dot), name.slice(dot + 1)];
  const alone = own === 'mp3' || !SOUND_FILE.test(name) ? 'm4a' : 'mp3';
  const ending = request.format ?? { sound: alone, animate: 'webp', frames: 'png', archive: 'mkv', cutout: 'mov' }[request.preset as string] ?? own;
  if (request.preset === 'frames') return `${folder}/${stem}_frames/${stem}_%05d.${ending}`;
  const usual = {
    enlarge: `{name}_${request.scale ?? 2}x`,
    clean: '{name}_clean',
    deinterlace: '{name}_progressive',
    share: '{name}_small',
    animate: '{name}',
    loudness: '{name}_even',
    archive: '{name}_archive',
    cutout: '{name}_cutout',
    defocus: '{name}_defocus',
    backdrop: '{name}_backdrop',
    redact: '{name}_redacted',
    steady: '{name}_steady',
    smooth: '{name}_smooth',
    reframe: '{name}_upright',
    light: '{name}_light',
    style: '{name}_style',
    depth: '{name}_depth',
    silence: '{name}_cut',
    voice: '{name}_voice',
    sound: '{name}',
    steps: '{name}_made',
    convert: '{name}_converted',
    subtitles: '{name}_subtitled',
    scenes: `{name}_${String(request.counter ?? 1).padStart(3, '0')}`,
  }[request.preset];
  return `${folder}/${(request.name_template ?? usual).replace('{name}', stem)}.${ending}`;
}

/** Times in seconds at which the fake's clips click, so that it can be seen when that is heard. */
const CLICK_EVERY = 0.5;

/** Sample `n` of the fake's sound: a quiet tone, and a click at each half second. */
function sampleAt(n: number, rate: number): number {
  const since = n % Math.round(CLICK_EVERY * rate);
  const click = since < rate / 500 ? 0.8 : 0;
  return n < 0 ? 0 : click + 0.1 * Math.sin((2 * Math.PI * 220 * n) / rate);
}

/** Speech of the fake: from 20 % to 45 % of a clip, and from 70 % to 90 %. */
export function silenceOf(request: UpscaleRequest): SilenceView {
  const length = 20_000_000;
  const rule = request.silence?.rule ?? { threshold: 0.5, padding_millis: 200, min_silence_millis: 500, min_speech_millis: 100 };
  const speech = [
    { from_micros: 0.2 * length, to_micros: 0.45 * length },
    { from_micros: 0.7 * length, to_micros: 0.9 * length },
  ];
  const kept = speech.map(({ from_micros, to_micros }) => ({
    from_micros: from_micros - rule.padding_millis * 1000,
    to_micros: to_micros + rule.padding_millis * 1000,
  }));
  const step = 32_000;
  const levels = Array.from({ length: Math.round(length / step) }, (_, n) => {
    const spoken = speech.some((run) => n * step >= run.from_micros && n * step < run.to_micros);
    return spoken ? Math.round(-22 + 8 * Math.sin(n)) : -58;
  });
  return {
    kept,
    speech,
    length_micros: length,
    kept_micros: kept.reduce((sum, span) => sum + span.to_micros - span.from_micros, 0),
    first_micros: 0,
    step_micros: step,
    levels,
    probabilities: levels.map((level) => (level > -40 ? 96 : 2)),
    model: 'speech',
  };
}

/** Shots of the fake: five of four seconds each; the more sensitive, the more. */
function scenesOf(request: UpscaleRequest): ScenesView {
  const length = 20_000_000;
  const { sensitivity, least_millis } = request.scenes ?? { sensitivity: 0.5, least_millis: 500 };
  const count = Math.max(1, Math.min(Math.round(1 + 8 * sensitivity), Math.floor(length / 1000 / Math.max(1, least_millis))));
  const at = (n: number) => Math.round((n * length) / count);
  return {
    shots: Array.from({ length: count }, (_, n) => ({
      from_frame: Math.round(at(n) / 40_000),
      to_frame: Math.round(at(n + 1) / 40_000),
      from_micros: at(n),
      to_micros: at(n + 1),
      dissolves: n === 2,
      clear_frame: Math.round(at(n) / 40_000),
    })),
    frames: 500,
    length_micros: length,
  };
}

/** Faces of the fake: four, one behind the other. */
function facesOf(): FacesView {
  return {
    faces: Array.from({ length: 4 }, (_, n) => ({
      number: n + 1,
      from_micros: n * 4_000_000,
      to_micros: n * 4_000_000 + 5_000_000,
      pictures: 125,
      at_micros: n * 4_000_000 + 1_000_000,
      sides: [0.2 + 0.1 * n, 0.2, 0.35 + 0.1 * n, 0.5],
      score: 0.9,
      key: `face-${n}`,
      keep: `${n * 4} ${20 + 10 * n} 20 15 30`,
    })),
    left_out: 2,
  };
}

/** A face of the fake: two eyes and a mouth. */
function faceOf(key: string): string {
  const hue = (Number(key.slice(-1)) * 80 + 20) % 360;
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><rect width="96" height="96" fill="hsl(${hue} 30% 35%)"/><circle cx="48" cy="48" r="32" fill="hsl(${hue} 45% 75%)"/><circle cx="37" cy="42" r="4"/><circle cx="59" cy="42" r="4"/><path d="M34 60q14 12 28 0" fill="none" stroke="#000" stroke-width="3"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(picture)}`;
}

export function homeFake(calls: string[], holds: Clipboard, hasMatting: boolean, hasVoice: boolean, submit: (request: UpscaleRequest) => Promise<Job>): HomeIpc {
  return {
    presets: async () => FAKE_PRESETS,
    presetFits: async (info, span) => FAKE_PRESETS.map(({ id }) => ({ id, misfit: misfitOf(id, info, span, hasMatting, hasVoice) })),
    clipboard: async () => holds,
    paste: async (name) => {
      calls.push(`paste ${name}`);
      if (holds === 'nothing') {
        throw { code: 'invalid_request', message: 'The clipboard holds no picture and no files.', hint: 'Copy a picture or files first, then paste again.', details: null };
      }
      return holds === 'files' ? ['/home/mai/Phim/harbour.mov'] : [`/home/mai/pasted/${name}.png`];
    },
    clipSound: async ({ stream, rate, from, count }) => {
      calls.push(`sound ${stream} ${from} ${count}`);
      const samples = new Int16Array(count * 2);
      for (let n = 0; n < count; n += 1) samples.fill(Math.round(32767 * sampleAt(from + n, rate)), n * 2, n * 2 + 2);
      return samples.buffer;
    },
    viewSilence: async (request) => {
      calls.push(`silence ${JSON.stringify(request.silence?.rule ?? null)} by ${request.model}`);
      return silenceOf(request);
    },
    viewScenes: async (request, onPart) => {
      calls.push(`scenes ${JSON.stringify(request.scenes ?? null)}`);
      onPart(0.5);
      return scenesOf(request);
    },
    saveScenes: async (request, what, onPart) => {
      calls.push(`save scenes ${what}`);
      onPart(0.5);
      const stem = request.input.slice(0, request.input.lastIndexOf('.'));
      return { list: `${stem}_scenes.csv`, json: `${stem}_scenes.json`, sheet: `${stem}_sheet.png`, chapters: `${stem}_chapters.mov`, files: '' }[what];
    },
    splitScenes: async (request) => {
      calls.push('split scenes');
      const { shots } = scenesOf(request);
      const jobs: Job[] = [];
      for (const [n, { from_micros, to_micros }] of shots.entries()) {
        jobs.push(await submit({ ...request, scenes: undefined, span: { from_micros, to_micros }, counter: n + 1 }));
      }
      return jobs;
    },
    leaveScenes: async () => {
      calls.push('leave scenes');
    },
    viewFaces: async (request, onPart) => {
      calls.push(`faces ${JSON.stringify(request.redact ?? null)}`);
      onPart(0.5);
      return facesOf();
    },
    leaveFaces: async () => {
      calls.push('leave faces');
    },
    faceUrl: faceOf,
  };
}

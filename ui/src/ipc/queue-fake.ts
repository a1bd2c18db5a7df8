/** `QueueIpc` without a program behind it: order, several at once, countdown, history. */
import { folded } from '../state/folded';
import type { Job } from './bindings/Job';
import type { QueueEnd } from './bindings/QueueEnd';
import type { QueueEvent } from './bindings/QueueEvent';
import type { QueueOptions } from './bindings/QueueOptions';
import type { QueueView } from './bindings/QueueView';
import type { QueueIpc } from './queue';

/** What the fake queue needs of the fake program. */
export interface FakeJobs {
  jobs: Map<string, Job>;
  calls: string[];
  change(id: string, part: Partial<Job>): void;
  /** Submits the same once more. */
  again(job: Job): Promise<Job>;
  removed(id: string): void;
  countdownSeconds: number;
  /** Jobs that were left over from the last time. */
  leftOver: boolean;
}

export interface FakeQueue {
  ipc: QueueIpc;
  putAway: ReadonlySet<string>;
  /** Begins what may begin, and tells what changed; called with every tick. */
  look(): void;
}

const OVER = ['succeeded', 'failed', 'cancelled'];

export function fakeQueue(program: FakeJobs): FakeQueue {
  const { jobs, calls } = program;
  const putAway = new Set<string>();
  let options: QueueOptions = { at_once: 1, when_done: 'nothing', paused: false };
  let order: string[] = [];
  let asks = program.leftOver;
  let countdown: QueueView['countdown'] = null;
  let end: QueueEnd = { succeeded: 0, failed: 0 };
  let busy = new Set<string>();
  let told = '';
  let listen: (event: QueueEvent) => void = () => {};

  const all = () => [...jobs.values()];
  const running = () => all().filter((job) => job.state === 'running');
  const waiting = () => {
    const queued = all().filter((job) => job.state === 'queued').map((job) => job.id);
    order = [...order.filter((id) => queued.includes(id)), ...queued.filter((id) => !order.includes(id))];
    return order;
  };
  const left = (job: Job) => ((job.progress.total ?? 1) - job.progress.done) / 21;
  const view = (): QueueView => {
    const ids = waiting();
    const seconds = [...running(), ...ids.flatMap((id) => jobs.get(id) ?? [])].reduce((sum, job) => sum + left(job), 0);
    const active = running().length + ids.length;
    return {
      waiting: [...ids],
      options,
      asks,
      countdown,
      forecast: active === 0 ? null : { remaining_micros: Math.round(seconds / options.at_once) * 1_000_000, unknown: 0 },
      per_mille: running().length === 0 ? null : 500,
    };
  };
  const tell = () => {
    const now = view();
    if (JSON.stringify(now) === told) return;
    told = JSON.stringify(now);
    listen({ event: 'changed', view: now });
  };
  const look = () => {
    const now = new Set(running().map((job) => job.id));
    let byUser = false;
    for (const id of busy) {
      if (now.has(id)) continue;
      const state = jobs.get(id)?.state;
      if (state === 'succeeded') end = { ...end, succeeded: end.succeeded + 1 };
      else if (state === 'failed' || state === 'interrupted') end = { ...end, failed: end.failed + 1 };
      else byUser = true;
    }
    const ended = busy.size > 0 && now.size < busy.size;
    busy = now;
    for (const id of waiting()) {
      if (asks || options.paused || busy.size >= options.at_once) break;
      countdown = null;
      busy.add(id);
      program.change(id, { state: 'running' });
    }
    if (ended && busy.size === 0 && waiting().length === 0 && !byUser) {
      listen({ event: 'done', end, sound: options.when_done === 'sound' });
      end = { succeeded: 0, failed: 0 };
      if (options.when_done === 'sleep' || options.when_done === 'shut_down') {
        countdown = { what: options.when_done, at_millis: Date.now() + program.countdownSeconds * 1000 };
      }
    }
    if (countdown && countdown.at_millis <= Date.now()) {
      calls.push(`power ${countdown.what}`);
      countdown = null;
      options = { ...options, when_done: 'nothing' };
    }
    tell();
  };
  const found = (id: string): Job => {
    const job = jobs.get(id);
    if (!job) throw { code: 'job_not_found', message: 'There is no such job.', hint: null, details: null };
    return job;
  };

  const ipc: QueueIpc = {
    queue: async () => view(),
    watchQueue: async (onEvent) => {
      listen = onEvent;
    },
    setQueueOptions: async (next) => {
      calls.push(`queue ${JSON.stringify(next)}`);
      if (next.paused && !options.paused) {
        order = [...running().map((job) => job.id), ...waiting()];
        for (const job of running()) program.change(job.id, { state: 'queued' });
        busy = new Set();
      }
      options = next;
      tell();
    },
    moveJobs: async (ids, before) => {
      calls.push(`move ${ids.join(',')} before ${before ?? 'nothing'}`);
      const rest = waiting().filter((id) => !ids.includes(id));
      const at = before === null ? rest.length : rest.indexOf(before);
      order = rest.toSpliced(at < 0 ? rest.length : at, 0, ...ids);
      tell();
    },
    answerLeftOver: async (goOn) => {
      asks = false;
      if (!goOn) for (const id of waiting()) program.change(id, { state: 'paused' });
      tell();
    },
    stopCountdown: async () => {
      calls.push('stop countdown');
      countdown = null;
      options = { ...options, when_done: 'nothing' };
      tell();
    },
    retryJob: async (id, how) => {
      calls.push(`retry ${id} ${how}`);
      const job = found(id);
      if (job.state === 'cancelled') return program.again(job);
      putAway.delete(id);
      program.change(id, { state: 'queued', error: null, finished_millis: null });
      return found(id);
    },
    duplicateJob: (id) => program.again(found(id)),
    editJob: async (id, edit) => {
      calls.push(`edit ${id} ${JSON.stringify(edit)}`);
      const { spec } = found(id);
      if (edit.codec === 'dnxhr') throw { code: 'encoder_unavailable', message: 'This machine has no encoder for DNxHR.', hint: 'Choose another codec.', details: null };
      const codec = edit.codec_auto ? null : (edit.codec ?? spec.encode.codec);
      program.change(id, { spec: { ...spec, encode: { ...spec.encode, codec, quality: edit.quality ?? spec.encode.quality } } });
      return found(id);
    },
    history: async (query) => {
      const words = folded(query.text).split(/\s+/).filter(Boolean);
      const over = all()
        .filter((job) => OVER.includes(job.state))
        .sort((a, b) => (b.finished_millis ?? 0) - (a.finished_millis ?? 0));
      const fits = over.filter(
        (job) =>
          (query.outcome === null || job.state === query.outcome) &&
          words.every((word) => folded(`${job.spec.input} ${job.spec.output}`).includes(word)),
      );
      const count = (state: string) => over.filter((job) => job.state === state).length;
      return {
        jobs: fits.slice(query.skip, query.skip + query.limit),
        found: fits.length,
        succeeded: count('succeeded'),
        failed: count('failed'),
        cancelled: count('cancelled'),
      };
    },
    putAwayJob: async (id) => {
      putAway.add(id);
      program.removed(id);
    },
    takeOutJob: async (id) => {
      putAway.delete(id);
      program.change(id, {});
      return found(id);
    },
    notify: async (title, body) => {
      calls.push(`notify ${title}: ${body}`);
    },
  };
  return { ipc, putAway, look };
}

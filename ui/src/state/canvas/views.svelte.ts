/**
 * What leaves the nodes that are looked at, at the time of the playhead. One picture is made at a
 * time, and only of nodes that are on the screen; what changes while one is made ends it.
 */
import { createContext, untrack } from 'svelte';
import type { AppError } from '../../ipc/bindings/AppError';
import type { Fault } from '../../ipc/bindings/Fault';
import type { NodeView } from '../../ipc/bindings/NodeView';
import { toAppError, type Ipc } from '../../ipc/ipc';
import type { Canvas } from './canvas.svelte';
import { cutBehind } from './cut';
import { inputNames, nodeOf, placeOf } from './document';
import { mainVideo } from '../facts';
import { resolved } from './resolve';

/** What changes is looked at when it has rested for so long. */
const REST_MILLIS = 250;
/** Longest side of a picture, in pixels: as wide as the panel on a dense screen. */
const SIDE = 640;

/** What is known of a node. */
export interface Look {
  /** A newer picture is on its way. */
  busy: boolean;
  /** The last answer; it stays on the screen until the next one. */
  view: NodeView | null;
  /** Why there is none. */
  why: Hindrance | null;
}

export type Hindrance =
  | { is: 'muted' }
  /** No file was chosen for the input of this name. */
  | { is: 'source'; name: string }
  | { is: 'fault'; fault: Fault }
  | { is: 'error'; error: AppError };

const NOTHING: Look = { busy: true, view: null, why: null };

/** A question: with the same one, the same picture comes. */
type Question = { is: 'hindered'; why: Hindrance } | { is: 'ask'; text: string };

/** The clip that the playhead moves in. */
export interface Clip {
  path: string;
  durationMicros: number;
  frameMicros: number;
}

export class NodeViews {
  looks = $state.raw<ReadonlyMap<string, Look>>(new Map());
  /** The time that is looked at, in the main source from its beginning. */
  at = $state(0);
  clip = $state.raw<Clip | null>(null);
  /** How often each node is on the screen: on its card, and in the panel. */
  #watched = new Map<string, number>();
  /** The question that was answered last, by node. */
  #answered = new Map<string, string>();
  #asking: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #working = false;
  #probed: string | null = null;

  constructor(
    private readonly ipc: Ipc,
    private readonly canvas: Canvas,
  ) {}

  /** Path of the source whose time the playhead is. */
  get source(): string | null {
    const names = inputNames(this.canvas.document.graph);
    const name = names.includes('main') ? 'main' : names[0];
    return (name !== undefined && this.canvas.document.run.inputs[name]) || null;
  }

  /** Name of the source whose time the playhead is. */
  get sourceName(): string | null {
    const names = inputNames(this.canvas.document.graph);
    return names.includes('main') ? 'main' : (names[0] ?? null);
  }

  /** Learns how long the main source is, where it is another than before. */
  async probe(): Promise<void> {
    const path = this.source;
    if (path === this.#probed) return;
    this.#probed = path;
    this.clip = null;
    this.at = path === this.canvas.playhead.path ? this.canvas.playhead.at : 0;
    if (path === null) return;
    try {
      const info = await this.ipc.probeMedia(path);
      if (path !== this.#probed) return;
      const rate = mainVideo(info)?.video.frame_rate;
      const durationMicros = info.duration_micros ?? 0;
      if (info.kind !== 'video' || durationMicros <= 0) return;
      this.clip = { path, durationMicros, frameMicros: rate ? (1_000_000 * rate.den) / rate.num : 40_000 };
    } catch {
      // What is wrong with it is said where a picture of it would be.
    }
  }

  /** Latest time that has a frame. */
  get end(): number {
    return this.clip ? Math.max(0, this.clip.durationMicros - this.clip.frameMicros) : 0;
  }

  seek(at: number): void {
    this.at = Math.round(Math.min(this.end, Math.max(0, at)));
    this.canvas.playhead = { path: this.#probed, at: this.at };
  }

  /** Goes `count` frames on, from frame to frame. */
  step(count: number): void {
    if (!this.clip) return;
    const { frameMicros } = this.clip;
    this.seek((Math.round(this.at / frameMicros) + count) * frameMicros);
  }

  /** A node is on the screen until the returned function is called. */
  watch(id: string): () => void {
    this.#watched.set(id, (this.#watched.get(id) ?? 0) + 1);
    // What failed may work by now; somebody looks again.
    if (this.#looksOf(id)?.why?.is === 'error') this.#answered.delete(id);
    this.soon(0);
    return () => {
      const left = (this.#watched.get(id) ?? 1) - 1;
      if (left > 0) this.#watched.set(id, left);
      else this.#watched.delete(id);
      // Nobody waits for it any more.
      if (left <= 0 && this.#asking === id) void this.ipc.stopViewing();
    };
  }

  /** Something that pictures depend on has changed. */
  soon(millis = REST_MILLIS): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#work(), millis);
  }

  /** Asks again, although nothing changed. */
  again(id: string): void {
    this.#answered.delete(id);
    this.soon(0);
  }

  #looksOf(id: string): Look | undefined {
    return untrack(() => this.looks.get(id));
  }

  #set(id: string, change: Partial<Look>): void {
    const looks = new Map(this.looks);
    looks.set(id, { ...(looks.get(id) ?? NOTHING), ...change });
    this.looks = looks;
  }

  #question(id: string): Question {
    const { document, kinds } = this.canvas;
    if (placeOf(document, id).rest === 'muted') return { is: 'hindered', why: { is: 'muted' } };
    const cut = resolved(cutBehind(document, kinds, id, true), kinds);
    const { inputs, device } = document.run;
    const names = inputNames(cut);
    const missing = names.find((name) => !inputs[name]);
    if (missing !== undefined) return { is: 'hindered', why: { is: 'source', name: missing } };
    const run = this.canvas.requestFor(cut);
    return { is: 'ask', text: JSON.stringify({ run: { ...run, device }, at_micros: this.at, max_side: SIDE }) };
  }

  async #work(): Promise<void> {
    if (this.#working) {
      // The picture at hand may be of the past.
      const asking = this.#asking;
      if (asking !== null && JSON.stringify(this.#question(asking)) !== this.#answered.get(asking)) void this.ipc.stopViewing();
      return;
    }
    this.#working = true;
    try {
      for (let id = this.#next(); id !== null; id = this.#next()) await this.#look(id);
    } finally {
      this.#working = false;
    }
  }

  /** A node on the screen whose question has no answer yet; what is chosen goes first. */
  #next(): string | null {
    const known = [...this.#watched.keys()].filter((id) => nodeOf(this.canvas.document, id));
    const first = known.filter((id) => this.canvas.selection.includes(id));
    return [...first, ...known].find((id) => JSON.stringify(this.#question(id)) !== this.#answered.get(id)) ?? null;
  }

  async #look(id: string): Promise<void> {
    const question = this.#question(id);
    this.#answered.set(id, JSON.stringify(question));
    if (question.is === 'hindered') return this.#set(id, { busy: false, view: null, why: question.why });
    this.#set(id, { busy: true });
    this.#asking = id;
    try {
      const request = JSON.parse(question.text) as Parameters<Ipc['viewNode']>[0];
      const [fault] = await this.ipc.checkGraph(request.run.graph);
      if (fault) this.#set(id, { busy: false, view: null, why: { is: 'fault', fault } });
      else this.#set(id, { busy: false, view: await this.ipc.viewNode(request), why: null });
    } catch (thrown) {
      const error = toAppError(thrown);
      // Ended for something newer: it is asked for again, unless it is gone from the screen.
      if (error.code === 'cancelled') this.#answered.delete(id);
      else this.#set(id, { busy: false, view: null, why: { is: 'error', error } });
    } finally {
      this.#asking = null;
    }
  }
}

export const [useNodeViews, provideNodeViews] = createContext<NodeViews>();

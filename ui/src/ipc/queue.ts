/** The part of the door for the places Queue and History. */
import type { HistoryPage } from './bindings/HistoryPage';
import type { HistoryQuery } from './bindings/HistoryQuery';
import type { Job } from './bindings/Job';
import type { JobEdit } from './bindings/JobEdit';
import type { QueueEvent } from './bindings/QueueEvent';
import type { QueueOptions } from './bindings/QueueOptions';
import type { QueueView } from './bindings/QueueView';
import type { Retry } from './bindings/Retry';

export interface QueueIpc {
  queue(): Promise<QueueView>;
  watchQueue(onEvent: (event: QueueEvent) => void): Promise<void>;
  setQueueOptions(options: QueueOptions): Promise<void>;
  /** Moves waiting jobs before another one, or behind all others. */
  moveJobs(ids: string[], before: string | null): Promise<void>;
  /** What becomes of the jobs that were left over from the last time. */
  answerLeftOver(goOn: boolean): Promise<void>;
  /** Nobody is to sleep. */
  stopCountdown(): Promise<void>;
  retryJob(id: string, how: Retry): Promise<Job>;
  duplicateJob(id: string): Promise<Job>;
  editJob(id: string, edit: JobEdit): Promise<Job>;
  history(query: HistoryQuery): Promise<HistoryPage>;
  /** Takes a job that is over off the list; the history keeps it. */
  putAwayJob(id: string): Promise<void>;
  /** Puts a job of the history on the list again. */
  takeOutJob(id: string): Promise<Job>;
  /** Tells the user through the system, unless they are looking at the window. */
  notify(title: string, body: string): Promise<void>;
}

// A session's jobs as spans of time: finished ones are kept by the pixel, pending ones are computed at each tick.
import { isFinal, pendingJobs } from "#shared/metrics";
import type { JobRecord, JobStatus, SessionSnapshot } from "#shared/snapshot.gen";
import { Columns, SINGLE_BARS, toBars, type Bar, type Block } from "./bins";
import { queuedSeconds, ranSeconds } from "../state/jobTimes";

/** From, to: service clock. */
export type Range = [number, number];

/** A run as it is drawn: one that an earlier run had paid for is hatched. */
export type Look = JobStatus | "reused";

/** The look of a run, by the weight of its bar. */
export const WEIGHTS: Look[] = ["reused", "done", "running", "cancelled", "failed"];
const WAITING = WEIGHTS.length + 1;

export interface JobBars {
  waits: Bar[];
  runs: Bar[];
}

function waitBlock(job: JobRecord, index: number, now: number): Block | null {
  const queued = queuedSeconds(job, now);
  if (queued <= 0 || job.stray) return null;
  return { begin: job.created, end: job.created + queued, weight: WAITING, index };
}

function runBlock(job: JobRecord, index: number, now: number): Block | null {
  const weight = WEIGHTS.indexOf(job.reused && job.status === "done" ? "reused" : job.status) + 1;
  const begin = job.started ?? job.finished;
  if (begin === null || weight === 0) return null;
  // a job that ended without running is a mark where it ended
  const ran = job.started === null ? 0 : (ranSeconds(job, now) ?? 0);
  return { begin, end: begin + ran, weight, index };
}

/** Stray jobs use none of the session's time and are not drawn, but for those that were paid for. */
function isDrawn(job: JobRecord): boolean {
  return !job.stray || job.reused;
}

function isFinished(job: JobRecord): boolean {
  return isFinal(job) && isDrawn(job);
}

/** The jobs that are over, for one range of time and one width. */
export class FinishedBars {
  #jobs: readonly JobRecord[] = [];
  readonly #waits: Columns;
  readonly #runs: Columns;
  #changes = 0;

  constructor(
    readonly range: Range,
    readonly width: number,
  ) {
    this.#waits = new Columns(range[0], range[1], width);
    this.#runs = new Columns(range[0], range[1], width);
  }

  /** Whether each job has a bar of its own. */
  get single(): boolean {
    return this.#runs.seen <= SINGLE_BARS && this.#waits.seen <= SINGLE_BARS;
  }

  /** Another number when there is something else to draw. */
  get version(): number {
    return this.single ? -1 - this.#changes : this.#waits.version + this.#runs.version;
  }

  update(jobs: readonly JobRecord[]): void {
    const before = this.#jobs;
    if (before === jobs) return;
    this.#jobs = jobs;
    const length = Math.max(before.length, jobs.length);
    for (let i = 0; i < length; i++) {
      const [old, job] = [before[i], jobs[i]];
      // nearly all of them are the very objects of before
      if (old === job) continue;
      if (old) this.#put(old, i, -1);
      if (job) this.#put(job, i, 1);
    }
  }

  bars(): JobBars {
    if (!this.single) return { waits: this.#waits.bars(), runs: this.#runs.bars() };
    const [from, to] = this.range;
    const waits: Block[] = [];
    const runs: Block[] = [];
    this.#jobs.forEach((job, i) => {
      if (!isFinished(job)) return;
      const [wait, run] = [waitBlock(job, i, 0), runBlock(job, i, 0)];
      if (wait) waits.push(wait);
      if (run) runs.push(run);
    });
    const cut = (blocks: Block[]) => toBars(blocks, from, to, this.width);
    return { waits: cut(waits), runs: cut(runs) };
  }

  #put(job: JobRecord, index: number, sign: 1 | -1): void {
    if (!isFinished(job)) return;
    this.#changes++;
    const [wait, run] = [waitBlock(job, index, 0), runBlock(job, index, 0)];
    if (wait) this.#waits.put(wait, sign);
    if (run) this.#runs.put(run, sign);
  }
}

/** The session's jobs that are queued or running now; a bar's index is one into `jobs`. */
export function liveBars(
  snapshot: SessionSnapshot,
  now: number,
  range: Range,
  width: number,
): JobBars & { jobs: JobRecord[] } {
  const jobs = pendingJobs(snapshot);
  const blocks = (make: typeof waitBlock) =>
    jobs.flatMap((job, i) => {
      const block = make(job, i, now);
      return block === null ? [] : [block];
    });
  const cut = (found: Block[]) => toBars(found, range[0], range[1], width);
  return { waits: cut(blocks(waitBlock)), runs: cut(blocks(runBlock)), jobs };
}

/** Jobs of a batch run side by side: each in one of a few lanes, so that none hides another. */
const MAX_LANES = 5;

export interface Lanes {
  count: number;
  of: (id: string) => number;
}

export function lanesOf(snapshot: SessionSnapshot, now: number, finished: FinishedBars): Lanes {
  const lane = new Map<string, number>();
  const free: number[] = [];
  if (snapshot.mode === "dedicated" || !finished.single) return { count: 1, of: () => 0 };
  const [from, to] = finished.range;
  const runs = snapshot.jobs
    .map((job, index) => (isDrawn(job) ? runBlock(job, index, now) : null))
    .filter((run): run is Block => run !== null && run.end >= from && run.begin <= to);
  for (const run of runs.sort((a, b) => a.begin - b.begin)) {
    let at = free.findIndex((until) => until <= run.begin);
    if (at < 0) at = free.length < MAX_LANES ? free.length : free.indexOf(Math.min(...free));
    free[at] = run.end;
    lane.set(snapshot.jobs[run.index]!.id, at);
  }
  return { count: Math.max(1, free.length), of: (id) => lane.get(id) ?? 0 };
}

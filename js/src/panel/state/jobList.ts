// Filter and order of the list of jobs.
import { formatCount } from "#shared/formatting";
import { isFinal } from "#shared/metrics";
import type { JobRecord } from "#shared/snapshot.gen";
import { queuedSeconds, ranSeconds, STATUS_WORDS } from "./jobTimes";

/** `turn`: running jobs, then the next in the queue, then those that are over, the newest first. */
export type SortKey = "turn" | "created" | "status" | "queued" | "ran" | "qpu";
export type Filter = "all" | "pending" | "done" | "failed";

export interface Order {
  filter: Filter;
  key: SortKey;
  up: boolean;
}

const ORDERS = Object.keys(STATUS_WORDS);

/** More seconds than any time has. */
const LATER = 1e11;

/** Higher where it is shown first: what runs, what has waited longest, what is newest of the rest. */
function turn(job: JobRecord): number {
  if (isFinal(job)) return job.created;
  return (job.status === "running" ? 3 : 2) * LATER - job.created;
}

const KEYS: Record<SortKey, (job: JobRecord, now: number) => number> = {
  turn,
  created: (job) => job.created,
  status: (job) => ORDERS.indexOf(job.status),
  queued: queuedSeconds,
  ran: (job, now) => ranSeconds(job, now) ?? -1,
  qpu: (job) => job.qpu_seconds ?? -1,
};

export const FILTERS: Record<Filter, (job: JobRecord) => boolean> = {
  all: () => true,
  pending: (job) => !isFinal(job),
  done: (job) => job.status === "done",
  failed: (job) => job.status === "failed" || job.status === "cancelled",
};

/** A list that is put in order again from the order it had: nearly nothing moves when one job of many changes. */
export class Listing {
  #key: SortKey = "created";
  #order: number[] = [];

  list(jobs: readonly JobRecord[], { filter, key, up }: Order, now: number): JobRecord[] {
    if (key !== this.#key || jobs.length < this.#order.length) this.#order = [];
    this.#key = key;
    for (let i = this.#order.length; i < jobs.length; i++) this.#order.push(i);
    // jobs come in the order of their creation
    if (key !== "created") {
      const value = Float64Array.from(jobs, (job) => KEYS[key](job, now));
      this.#order.sort((a, b) => value[a]! - value[b]! || a - b);
    }
    const shown: JobRecord[] = [];
    const wanted = FILTERS[filter];
    for (const i of this.#order) if (wanted(jobs[i]!)) shown.push(jobs[i]!);
    return up ? shown : shown.reverse();
  }
}

/** Of each kind so many rows at least, where there are as many. */
const [RUNNING, QUEUED] = [2, 1];

/** A few jobs of all: some that run, the next in the queue and the newest that are over, in this order. */
export function inBrief(jobs: readonly JobRecord[], rows: number): JobRecord[] {
  const pending = jobs.filter((job) => !isFinal(job)).sort((a, b) => turn(b) - turn(a));
  const running = pending.filter((job) => job.status === "running");
  const queued = pending.slice(running.length);
  const over: JobRecord[] = [];
  for (let i = jobs.length - 1; i >= 0 && over.length < rows; i--) {
    if (isFinal(jobs[i]!)) over.push(jobs[i]!);
  }
  const least = Math.min(running.length, RUNNING) + Math.min(queued.length, QUEUED);
  const ended = over.slice(0, Math.max(0, rows - least));
  // what those leave free belongs to more of the pending ones
  const free = rows - ended.length;
  const next = Math.min(queued.length, Math.max(QUEUED, free - running.length));
  return [...running.slice(0, free - next), ...queued.slice(0, next), ...ended];
}

/** Jobs that are not among the shown ones, by their state: `3 queued, 25 done`. */
export function hiddenWords(jobs: readonly JobRecord[], shown: readonly JobRecord[]): string {
  const counts = new Map<JobRecord["status"], number>();
  const count = (each: readonly JobRecord[], by: number) => {
    for (const { status } of each) counts.set(status, (counts.get(status) ?? 0) + by);
  };
  count(jobs, 1);
  count(shown, -1);
  return (["running", "queued", "done", "failed", "cancelled"] as const)
    .filter((status) => (counts.get(status) ?? 0) > 0)
    .map((status) => `${formatCount(counts.get(status)!)} ${STATUS_WORDS[status].toLowerCase()}`)
    .join(", ");
}

/** How many jobs each filter shows, strays among them. */
export function countFilters(jobs: readonly JobRecord[]): Record<Filter, number> {
  const found = { all: jobs.length, pending: 0, done: 0, failed: 0 };
  for (const job of jobs) {
    if (!isFinal(job)) found.pending += 1;
    else if (job.status === "done") found.done += 1;
    else found.failed += 1;
  }
  return found;
}

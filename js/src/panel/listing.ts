// Which jobs the list shows, and in what order.
import { isFinal } from "#shared/countdowns";
import type { JobRecord } from "#shared/snapshot.gen";
import { queuedSeconds, ranSeconds, STATUS_WORDS } from "./jobtimes";

export type SortKey = "created" | "status" | "queued" | "ran" | "qpu";
export type Filter = "all" | "pending" | "done" | "failed";

export interface Order {
  filter: Filter;
  key: SortKey;
  up: boolean;
}

const ORDERS = Object.keys(STATUS_WORDS);

const KEYS: Record<SortKey, (job: JobRecord, now: number) => number> = {
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
  private key: SortKey = "created";
  private order: number[] = [];

  list(jobs: readonly JobRecord[], { filter, key, up }: Order, now: number): JobRecord[] {
    if (key !== this.key || jobs.length < this.order.length) this.order = [];
    this.key = key;
    for (let i = this.order.length; i < jobs.length; i++) this.order.push(i);
    // jobs come in the order of their creation
    if (key !== "created") {
      const value = Float64Array.from(jobs, (job) => KEYS[key](job, now));
      this.order.sort((a, b) => value[a]! - value[b]! || a - b);
    }
    const shown: JobRecord[] = [];
    const wanted = FILTERS[filter];
    for (const i of this.order) if (wanted(jobs[i]!)) shown.push(jobs[i]!);
    return up ? shown : shown.reverse();
  }
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

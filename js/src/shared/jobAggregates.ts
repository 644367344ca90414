// Sums over the jobs, computed once for each list of jobs. A list that differs from the one before only near its end, as
// nearly all do, reuses the sums of the jobs before that: one more job among ten thousand costs what one among ten does.
import type { JobRecord, JobStatus } from "./snapshot.gen";

export type Span = [begin: number, end: number];

export interface JobSums {
  /** Jobs of the session that are queued or running, oldest first. */
  pending: JobRecord[];
  /** QPU seconds charged. */
  qpu: number;
  /** Jobs whose QPU time is known. */
  timed: number;
  /** Without those that were taken up of an earlier run. */
  strays: number;
  reused: number;
  /** Of those, the ones that ran outside of this session, and none of its counts has. */
  reusedOutside: number;
  /** When the last of the session's jobs ended that is over; null when none is. */
  ended: number | null;
  /** Without strays. */
  counts: Record<JobStatus, number>;
  /** When at least one job ran, disjoint and in order; the end is Infinity while one runs. */
  runs: Span[];
}

interface Known {
  /** Of the jobs before `upTo`. */
  head: JobSums;
  upTo: number;
  tail: JobSums;
  all: JobSums;
}

/** So many jobs at the end are summed again at every change, at least and at most. */
const TAIL = 32;
const LONGEST_TAIL = 256;

const known = new WeakMap<readonly JobRecord[], Known>();

export function isFinal(job: JobRecord): boolean {
  return job.status === "done" || job.status === "cancelled" || job.status === "failed";
}

export function sumsOf(jobs: readonly JobRecord[]): JobSums {
  const found = known.get(jobs);
  if (found) return found.all;
  const upTo = Math.max(0, jobs.length - TAIL);
  const head = sum(jobs, 0, upTo);
  return remember(jobs, head, upTo, sum(jobs, upTo, jobs.length));
}

/** Tell that `after` is `before` up to an index: what is known of those jobs holds for it, too. */
export function continueSums(
  before: readonly JobRecord[],
  after: readonly JobRecord[],
  same: number,
): void {
  const found = known.get(before);
  if (!found || same < found.upTo || after.length - found.upTo > LONGEST_TAIL) return;
  const { head, upTo, tail, all } = found;
  const next = sum(after, upTo, after.length);
  const sums = remember(after, head, upTo, next);
  // the very same list says to others that nothing changed
  if (sameSpans(tail.runs, next.runs)) sums.runs = all.runs;
}

function remember(jobs: readonly JobRecord[], head: JobSums, upTo: number, tail: JobSums): JobSums {
  const counts = { ...head.counts };
  for (const status of Object.keys(counts) as JobStatus[]) counts[status] += tail.counts[status];
  const all = {
    pending: [...head.pending, ...tail.pending],
    qpu: head.qpu + tail.qpu,
    timed: head.timed + tail.timed,
    strays: head.strays + tail.strays,
    reused: head.reused + tail.reused,
    reusedOutside: head.reusedOutside + tail.reusedOutside,
    ended: latest(head.ended, tail.ended),
    counts,
    runs: join(head.runs, tail.runs),
  };
  known.set(jobs, { head, upTo, tail, all });
  return all;
}

function sum(jobs: readonly JobRecord[], from: number, to: number): JobSums {
  const pending: JobRecord[] = [];
  const spans: Span[] = [];
  const counts = { queued: 0, running: 0, done: 0, cancelled: 0, failed: 0 };
  let [qpu, timed, strays, reused, reusedOutside] = [0, 0, 0, 0, 0];
  let ended: number | null = null;
  for (let i = from; i < to; i++) {
    const job = jobs[i]!;
    if (job.reused) reused += 1;
    if (job.stray) {
      if (job.reused) reusedOutside += 1;
      else strays += 1;
      continue;
    }
    counts[job.status] += 1;
    if (job.qpu_seconds !== null) timed += 1;
    qpu += job.qpu_seconds ?? 0;
    ended = latest(ended, job.finished);
    const final = isFinal(job);
    if (!final) pending.push(job);
    if (job.started === null) continue;
    // a job that is over without a known end counts for nothing rather than for ever
    if (job.finished !== null) spans.push([job.started, job.finished]);
    else if (!final) spans.push([job.started, Infinity]);
  }
  return { pending, qpu, timed, strays, reused, reusedOutside, ended, counts, runs: merge(spans) };
}

export function latest(a: number | null, b: number | null): number | null {
  return a === null || (b !== null && b > a) ? b : a;
}

function merge(spans: Span[]): Span[] {
  if (spans.some((span, i) => i > 0 && span[0] < spans[i - 1]![0])) {
    spans.sort((a, b) => a[0] - b[0]);
  }
  const merged: Span[] = [];
  for (const [begin, end] of spans) {
    const last = merged[merged.length - 1];
    if (last && begin <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([begin, end]);
  }
  return merged;
}

function join(head: Span[], tail: Span[]): Span[] {
  const last = head[head.length - 1];
  const first = tail[0];
  if (!last || !first || first[0] > last[1]) return head.concat(tail);
  if (first[0] >= last[0]) return head.slice(0, -1).concat(merge([last, ...tail]));
  return merge([...head, ...tail]);
}

function sameSpans(a: Span[], b: Span[]): boolean {
  return (
    a.length === b.length && a.every(([begin, end], i) => begin === b[i]![0] && end === b[i]![1])
  );
}

// Suggestions for better use, from a session's own numbers: gaps against the interactive timeout, the cost of waiting,
// whether a batch would have been cheaper.
import { t } from "./translation";
import { hasRun } from "./idleSmoothing";
import { amount, deferred, interactiveTimeout, pendingJobs, usage, type Span } from "./metrics";
import { formatDuration, formatMoney, plural } from "./formatting";
import type { SessionSnapshot } from "./snapshot.gen";
import { sumsOf } from "./jobAggregates";

export interface Gap {
  begin: number;
  end: number;
  /** Whether the session was deactivated in it, so that the next job queued again. */
  deactivated: boolean;
}

/** The times between the session's jobs: from the end of one run to the beginning of the next submission. */
export function gaps(snapshot: SessionSnapshot): Gap[] {
  // time passing makes no new gap, and neither does a job that has not run yet
  const { runs } = sumsOf(snapshot.jobs);
  const known = found.get(runs);
  if (known?.periods === snapshot.active_periods) return known.gaps;
  const gaps = findGaps(snapshot, runs);
  found.set(runs, { periods: snapshot.active_periods, gaps });
  return gaps;
}

const found = new WeakMap<object, { periods: unknown; gaps: Gap[] }>();

function findGaps(snapshot: SessionSnapshot, runs: readonly Span[]): Gap[] {
  const submitted = submissions(snapshot);
  const gaps: Gap[] = [];
  let next = 0;
  // a period that still lasts has no end in which a gap could lie, whatever the clocks say
  const ends = snapshot.active_periods.flatMap(([, until]) => (until === null ? [] : [until]));
  for (let i = 0; i + 1 < runs.length; i++) {
    const begin = runs[i]![1];
    const started = runs[i + 1]![0];
    while (next < submitted.length && submitted[next]! < begin) next++;
    // a job submitted before the last one ended leaves no gap: it was waiting, not the person
    const end = Math.min(started, submitted[next] ?? started);
    const waited = next < submitted.length && submitted[next]! <= started;
    if (!waited || end <= begin) continue;
    const deactivated = ends.some((until) => until > begin && until < started);
    gaps.push({ begin, end, deactivated });
  }
  return gaps;
}

/** When the session's jobs were submitted, in order. */
function submissions(snapshot: SessionSnapshot): Float64Array {
  const times = new Float64Array(snapshot.jobs.length);
  let count = 0;
  let ordered = true;
  for (const { stray, created } of snapshot.jobs) {
    if (stray) continue;
    ordered &&= count === 0 || times[count - 1]! <= created;
    times[count++] = created;
  }
  const own = times.subarray(0, count);
  return ordered ? own : own.sort();
}

/** The typical length of some gaps, found once for each list of them. */
export function medianGap(gaps: Gap[]): number {
  const known = medians.get(gaps);
  if (known !== undefined) return known;
  const value = medianOf(gaps.map((gap) => gap.end - gap.begin));
  medians.set(gaps, value);
  return value;
}

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const medians = new WeakMap<Gap[], number>();

const numbers = () => [t`No`, t`One`, t`Two`, t`Three`, t`Four`, t`Five`];

/** From the last run to the end of the period it was in: idle and billed, although no job came after it. */
export function lastGap(snapshot: SessionSnapshot): Gap | null {
  const begin = sumsOf(snapshot.jobs).runs.at(-1)?.[1];
  const ends = ([from, to]: readonly [number, number | null]) =>
    begin !== undefined && from <= begin && (to === null || begin < to);
  const end = snapshot.active_periods.find(ends)?.[1];
  // of a period that lasts there is no end; one with a job waiting to its end was not idle
  if (begin === undefined || end === undefined || end === null) return null;
  const waited = snapshot.jobs.some(
    ({ stray, created, finished }) =>
      !stray && created < end && (finished === null || finished > begin),
  );
  return waited ? null : { begin, end, deactivated: false };
}

const withLast = new WeakMap<Gap[], Gap[]>();

/** The gaps between the jobs, and the one after them once it is over. */
function everyGap(snapshot: SessionSnapshot): Gap[] {
  const between = gaps(snapshot);
  if (snapshot.state !== "closed") return between;
  let all = withLast.get(between);
  if (!all) {
    const last = lastGap(snapshot);
    all = last ? [...between, last] : between;
    withLast.set(between, all);
  }
  return all;
}

function gapAdvice(snapshot: SessionSnapshot): string {
  const found = everyGap(snapshot);
  const ttl = snapshot.interactive_ttl;
  if (found.length < 2 || ttl === null) return worstWords(snapshot, found);
  const typical = medianGap(found);
  const where =
    typical < ttl / 2
      ? t`well inside the ${formatDuration(ttl)} interactive timeout`
      : typical < ttl
        ? t`close to the ${formatDuration(ttl)} interactive timeout`
        : t`longer than the ${formatDuration(ttl)} interactive timeout`;
  const costly = found.filter((gap) => gap.deactivated);
  const first = t`Median gap between jobs ${formatDuration(typical)}, ${where}.`;
  if (costly.length === 0 && worstGap(snapshot, found).last) {
    const said = lastWords(snapshot, found, typical);
    // no longer than what stands there while it is open: nothing below is to move
    if (said) return said;
  }
  const worst = worstWords(snapshot, found);
  if (costly.length === 0) return [first, worst].filter(Boolean).join(" ");
  const count = numbers()[costly.length] ?? String(costly.length);
  const length = formatDuration(costly[0]!.end - costly[0]!.begin);
  const what = costly.length === 1 ? t`One gap of ${length}` : t`${count} longer gaps`;
  const trips = costly.length === 1 ? t`a second trip` : t`${costly.length} more trips`;
  return [first, t`${what} cost ${trips} through the queue.`, worst].filter(Boolean).join(" ");
}

/** A gap this much longer than the usual one, and this many seconds long at least, is worth a word. */
const FAR_LONGER = 3;
const WORTH_A_WORD = 2;

/** The gap that cost most, and the cell whose job came after or before it: a median says nothing of it. */
function worstWords(snapshot: SessionSnapshot, found: Gap[]): string {
  if (found.length === 0) return "";
  const worst = worstGap(snapshot, found);
  const between = gaps(snapshot);
  // the last one may be half of all there are
  const usual = worst.last ? (between.length ? medianGap(between) : 0) : medianGap(found);
  if (worst.billed < WORTH_A_WORD || worst.billed < FAR_LONGER * usual) return "";
  const { charged } = snapshot.service;
  const before = worst.cell === null ? "" : t`, before a job of cell [${worst.cell}],`;
  const after =
    worst.cell === null
      ? t`, after the last job,`
      : t`, after the last job, of cell [${worst.cell}],`;
  const cell = worst.last ? after : before;
  const verb = charged ? t`was billed` : t`would be billed`;
  return t`The costliest gap${cell} ${verb} for ${withCost(snapshot, worst.billed)}.`;
}

/** The time after the last job, where it was the costliest gap. */
function lastWords(snapshot: SessionSnapshot, found: Gap[], typical: number): string {
  if (!worstWords(snapshot, found)) return "";
  const { billed, cell } = worstGap(snapshot, found);
  const where = cell === null ? "" : t`, of cell [${cell}]`;
  const spent = withCost(snapshot, billed);
  const usual = formatDuration(typical);
  return snapshot.service.charged
    ? t`Median gap ${usual}; after the last job${where}, ${spent} were billed.`
    : t`Median gap ${usual}; after the last job${where}, ${spent} would be billed.`;
}

/** `16 s (≈ $25.60)`: a time, and what it costs where there is a price. */
function withCost(snapshot: SessionSnapshot, seconds: number): string {
  const dollars = amount(snapshot, seconds);
  return `${formatDuration(seconds)}${dollars === null ? "" : ` (≈ ${formatMoney(dollars)})`}`;
}

interface Worst {
  billed: number;
  cell: number | null;
  /** Whether it came after the last job. */
  last: boolean;
}

const worsts = new WeakMap<Gap[], Worst>();

function worstGap(snapshot: SessionSnapshot, found: Gap[]): Worst {
  const known = worsts.get(found);
  if (known) return known;
  let [billed, begin, end] = [0, 0, 0];
  for (const gap of found) {
    // what was deactivated of it was free
    const seconds = gap.deactivated ? activeSeconds(snapshot, gap) : gap.end - gap.begin;
    if (seconds > billed) [billed, begin, end] = [seconds, gap.begin, gap.end];
  }
  const own = snapshot.jobs.filter((job) => !job.stray);
  const next = own.find((job) => job.created === end);
  const ended = own.find((job) => job.finished === begin);
  const worst = { billed, cell: (next ?? ended)?.cell ?? null, last: !next };
  worsts.set(found, worst);
  return worst;
}

function activeSeconds({ active_periods: periods }: SessionSnapshot, gap: Gap): number {
  const within = ([from, to]: readonly [number, number | null]) =>
    Math.max(0, Math.min(to ?? gap.end, gap.end) - Math.max(from, gap.begin));
  return periods.reduce((sum, period) => sum + within(period), 0);
}

function batchAdvice(snapshot: SessionSnapshot, now: number): string {
  if (snapshot.mode !== "dedicated") return "";
  const { total, qpu, cost, final } = usage(snapshot, now);
  const { timed } = sumsOf(snapshot.jobs);
  if (total < 30 || timed < 3 || qpu > total / 2) return "";
  const billed = final || cost === null || snapshot.service.charged;
  const over = snapshot.state === "closed";
  const verb = over ? t`would have billed` : billed ? "bills" : t`would bill`;
  const spent = `${withCost(snapshot, total)}${over ? "" : t` so far`}`;
  const wait = over ? t`if your jobs did not have to wait` : t`if your jobs need not wait`;
  return t`A batch ${verb} QPU time only: ${withCost(snapshot, qpu)} instead of ${spent}, ${wait} for each other.`;
}

/** How many jobs wait for a device, whoever has sent them. */
export function queueSentence(queue: number, backend: string): string {
  return t`The queue of ${backend} has ${plural(queue, "job")} of all users.`;
}

/** Jobs before a session's first one in the normal queue, and about how long they take, where the service tells. */
export interface QueueAhead {
  jobs: number;
  seconds: number | null;
}

/** As the terminal has it (model/causes.py): on the emulator by others' jobs, on IBM by the device's queue. */
export function queueAhead(snapshot: SessionSnapshot, now: number): QueueAhead | null {
  const { state, others, queue_length: length, queue_wait: usual } = snapshot;
  const { pending } = sumsOf(snapshot.jobs);
  const [first] = pending;
  if ((state !== "open" && state !== "inactive") || first?.status !== "queued") return null;
  if (others.length === 0) {
    if (length === null) return null;
    const waiting = pending.filter((job) => job.status === "queued").length;
    const left = usual === null ? 0 : first.created + usual - now;
    // whoever has waited for longer than is usual is told no time
    return { jobs: Math.max(0, length - waiting), seconds: left > 0 ? left : null };
  }
  const took: number[] = [];
  const ran: number[] = [];
  for (const [created, begin, end] of others) {
    if (begin !== null && end !== null) took.push(end - begin);
    if (end === null && (begin !== null || created < first.created)) {
      ran.push(begin === null ? 0 : now - begin);
    }
  }
  if (took.length === 0) return { jobs: ran.length, seconds: null };
  const one = medianOf(took);
  const left = ran.reduce((sum, each) => sum + Math.max(0, one - each), 0);
  return { jobs: ran.length, seconds: left };
}

function waitAdvice(snapshot: SessionSnapshot, now: number): string {
  const { state, backend } = snapshot;
  const free =
    state === "open"
      ? t`Nothing is billed before the first job runs.`
      : t`Nothing is billed until the next job runs.`;
  const ahead = queueAhead(snapshot, now);
  if (ahead === null) return free;
  const jobs = plural(ahead.jobs, "job");
  const before =
    ahead.jobs === 0
      ? t`No job is ahead of yours in the queue of ${backend}.`
      : ahead.seconds === null
        ? t`${jobs} ahead of yours in the queue of ${backend}.`
        : t`${jobs} ahead of yours in the queue of ${backend}, about ${formatDuration(ahead.seconds)}.`;
  return `${before} ${free}`;
}

const SETTLED_SECONDS = 5;

/** From how many idle seconds on it is not a loop that is between two jobs. */
function settledAfter(snapshot: SessionSnapshot, timeout: number): number {
  const found = gaps(snapshot);
  const usual = found.length === 0 ? 0 : 1.5 * medianGap(found);
  return Math.min(timeout / 2, Math.max(SETTLED_SECONDS, usual));
}

/**
 * One line for the foot of the panel; empty when the numbers say nothing yet. Where the session cannot be closed,
 * nobody is advised to.
 */
export function advice(snapshot: SessionSnapshot, now: number, closable = true): string {
  if (snapshot.state === "closed") {
    return [gapAdvice(snapshot), batchAdvice(snapshot, now)].filter(Boolean).join(" ");
  }
  if (deferred(snapshot)) return "";
  if (snapshot.mode === "job") {
    return t`Every job waits in the normal queue. Jobs that do not depend on each other can run in a batch: %%batch.`;
  }
  const pending = pendingJobs(snapshot).length;
  const timeout = interactiveTimeout(snapshot, now);
  const { strays } = sumsOf(snapshot.jobs);
  if (strays > 0) {
    const what = strays === 1 ? t`One job went` : t`${strays} jobs went`;
    return t`${what} to ${snapshot.backend} outside this session: build the primitive in a cell after %%session, or pass mode=session.`;
  }
  // between the jobs of a loop there is always a moment without one: no reason to talk of closing
  const idle = timeout !== null && hasRun(timeout, settledAfter(snapshot, timeout.total));
  if (idle && closable && snapshot.accepting_jobs && snapshot.mode === "dedicated") {
    const left = Math.ceil(timeout.remaining);
    if (left > 0) {
      const dollars = amount(snapshot, left);
      const cost = dollars === null ? "" : `, ≈ ${formatMoney(dollars)}`;
      return t`Close now: nothing is pending. Waiting until the timeout adds ${formatDuration(left)} of usage${cost}.`;
    }
    return t`The interactive timeout has passed: the service deactivates the session.`;
  }
  if (snapshot.state === "inactive" && pending === 0) {
    const close = closable ? t`Close the session if you are done; otherwise the` : t`The`;
    return t`Deactivated time is free. ${close} next job queues again.`;
  }
  if (snapshot.mode === "dedicated" && snapshot.state !== "active")
    return waitAdvice(snapshot, now);
  return gapAdvice(snapshot) || batchAdvice(snapshot, now);
}

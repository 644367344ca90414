// Every number derived from a snapshot, by the formulas of qsession_widgets/model (metrics.py, countdowns.py).
// tests/vectors/countdowns.json holds the cases both are tested with.
import { EMPTY_SESSION_TTL, type JobRecord, type SessionSnapshot } from "./snapshot.gen";
import { cutSeconds, dollarsOf, type Parts } from "./formatting";
import { isFinal, latest, sumsOf, type Span } from "./jobAggregates";
import type { Snapshot } from "./serverTypes";

export { isFinal, type Span } from "./jobAggregates";

export interface Countdown {
  total: number;
  remaining: number;
  running: boolean;
  ends_at: number | null;
}

export interface Usage {
  total: number;
  qpu: number;
  classical: number;
  idle: number;
  cost: number | null;
  final: boolean;
  /** Whether the total is a bound: the service is silent, and it may have ended before. */
  at_most: boolean;
  /** Whether the QPU time of any job that is over is known; where not, it is 0, as is the total of a batch. */
  told: boolean;
}

/** Jobs of the session that are queued or running, oldest first. */
export function pendingJobs(snapshot: SessionSnapshot): JobRecord[] {
  return sumsOf(snapshot.jobs).pending;
}

/** When at least one job of the session ran, up to now. */
export function busySpans(snapshot: SessionSnapshot, now: number): Span[] {
  const { runs } = sumsOf(snapshot.jobs);
  const last = runs[runs.length - 1];
  // they are disjoint and in order: only the last one can lack an end
  return last?.[1] === Infinity ? [...runs.slice(0, -1), [last[0], now]] : runs;
}

/** The periods in which the session was active, up to now. */
export function activePeriods(snapshot: SessionSnapshot, now: number): Span[] {
  const [last] = activeUntil(snapshot, now);
  return snapshot.active_periods.map(([begin, end]) => [begin, end ?? last]);
}

/** Seconds that an answer of the service may take before it counts as silent. */
const OVERDUE = 2;

/**
 * Until when a session is known to be active that was active when the service answered last, and whether a timeout has
 * cut that: in silence it is not taken to be active beyond its timeouts.
 */
export function activeUntil(snapshot: SessionSnapshot, now: number): [until: number, cut: boolean] {
  if (snapshot.state === "closed") return [snapshot.closed_at ?? now, false];
  const { last_job_started: started, last_job_completed: ended, interactive_ttl: ttl } = snapshot;
  const runs = pendingJobs(snapshot).length > 0 || (started !== null && started > (ended ?? 0));
  let limit = now;
  if (ended !== null && ttl !== null && !runs) {
    // a period that began later was begun by a job
    const begins = snapshot.active_periods.flatMap(([begin, end]) => (end === null ? [begin] : []));
    limit = Math.min(limit, Math.max(ended, ...begins) + ttl);
  }
  if (snapshot.started_at !== null && snapshot.max_ttl !== null) {
    limit = Math.min(limit, snapshot.started_at + snapshot.max_ttl);
  }
  if (snapshot.answered_at > limit) {
    // it said so itself after that timeout: it is active until its next answer is overdue
    const wait = (snapshot.poll_interval + OVERDUE) * snapshot.service.speed;
    limit = Math.min(now, snapshot.answered_at + wait);
  }
  return [limit, limit < now];
}

function countdown(total: number, started: number | null, now: number): Countdown {
  if (started === null) return { total, remaining: total, running: false, ends_at: null };
  const ends = started + total;
  const remaining = Math.min(total, Math.max(0, ends - now));
  return { total, remaining, running: true, ends_at: ends };
}

export function interactiveTimeout(snapshot: SessionSnapshot, now: number): Countdown | null {
  if (snapshot.interactive_ttl === null) return null;
  const idle = snapshot.state === "active" && pendingJobs(snapshot).length === 0;
  return countdown(snapshot.interactive_ttl, idle ? snapshot.last_job_completed : null, now);
}

export function maximumTime(snapshot: SessionSnapshot, now: number): Countdown | null {
  const total = snapshot.max_ttl;
  if (total === null) return null;
  if (snapshot.state !== "closed") return countdown(total, snapshot.started_at, now);
  if (snapshot.started_at === null || snapshot.closed_at === null) {
    return { total, remaining: total, running: false, ends_at: null };
  }
  const left = Math.max(0, snapshot.started_at + total - snapshot.closed_at);
  return { total, remaining: Math.min(total, left), running: false, ends_at: null };
}

export function emptyTimeout(snapshot: SessionSnapshot, now: number): Countdown | null {
  if (snapshot.state !== "open" || snapshot.opened_at === null) return null;
  if (pendingJobs(snapshot).length > 0) return null;
  return countdown(EMPTY_SESSION_TTL, snapshot.opened_at, now);
}

/** When a session without pending jobs had nothing to do for the last time. */
export function idleSince(snapshot: SessionSnapshot): number {
  const known = latest(snapshot.opened_at, snapshot.last_job_completed);
  return latest(known, sumsOf(snapshot.jobs).ended) ?? snapshot.answered_at;
}

/** How long until the kernel closes the session because nothing is pending (`--idle-close`). */
export function idleTimeout(snapshot: SessionSnapshot, now: number): Countdown | null {
  const { idle_close, accepting_jobs, state } = snapshot;
  if (idle_close === null || !accepting_jobs || state === "closed") return null;
  const paused = pendingJobs(snapshot).length > 0;
  return countdown(idle_close, paused ? null : idleSince(snapshot), now);
}

/** Seconds that every job takes on a device, at least, by IBM's estimate. */
const DEVICE_LEAST = 2;

/** US dollars of some of a session's seconds; null where either is unknown. */
export function amount(
  { service, usage_final: final }: SessionSnapshot,
  seconds: number | null,
): number | null {
  return dollarsOf(seconds, service.price_per_second, final);
}

/** US dollars of a job's QPU time, exact once it is over; null where either is unknown. */
export function jobDollars(job: JobRecord, { service }: SessionSnapshot): number | null {
  return dollarsOf(job.qpu_seconds, service.price_per_second, isFinal(job));
}

function chargedSeconds({ jobs, earlier_qpu: earlier }: Snapshot): number {
  return sumsOf(jobs).qpu + (earlier ?? 0);
}

/** False if jobs have ended well, and the QPU time of none is known. */
function qpuTold({ jobs, earlier_qpu: earlier, device_time: device }: Snapshot): boolean {
  const { counts, timed } = sumsOf(jobs);
  return device !== null || timed > 0 || (earlier ?? 0) > 0 || counts.done === 0;
}

/** For how long a job has been running that is not in the snapshot's `device_time` yet. */
function runningFor(snapshot: SessionSnapshot, until: number): number {
  const { last_job_started: started } = snapshot;
  const ended = snapshot.last_job_completed ?? 0;
  if (snapshot.state === "closed" || started === null || started < ended) return 0;
  // one that waited starts at the moment at which the one before it ends
  const runs = started > ended || pendingJobs(snapshot).some((job) => job.status === "running");
  return runs ? Math.max(0, until - started) : 0;
}

/**
 * Seconds of a device that the emulator's job counts as that has been running for so long: no more than it will take
 * there, or while that is unknown, than the least that any job takes.
 */
function onDevice({ device_running: takes }: SessionSnapshot, running: number): number {
  return Math.min(running, takes ?? DEVICE_LEAST);
}

/** Usage split by its causes; on the emulator what the same work would use on the device. */
export function usage(snapshot: Snapshot, now: number): Usage {
  const qpu = chargedSeconds(snapshot);
  const device = snapshot.device_time;
  const stated = snapshot.usage_final ? snapshot.usage_seconds : null;
  if (snapshot.mode !== "dedicated") {
    const total = device?.[0] ?? stated ?? qpu;
    const told = total > 0 || qpuTold(snapshot);
    const cost = told ? amount(snapshot, total) : null;
    const split = { qpu: total, classical: 0, idle: 0 };
    return { total, ...split, cost, final: snapshot.usage_final, at_most: false, told };
  }
  const periods = activePeriods(snapshot, now);
  let total = stated ?? periods.reduce((sum, [begin, end]) => sum + Math.max(0, end - begin), 0);
  let busy = Math.min(total, overlap(busySpans(snapshot, now), periods));
  let charged = Math.min(qpu, busy);
  if (device) {
    const running = runningFor(snapshot, activeUntil(snapshot, now)[0]);
    const idle = Math.max(0, total - device[1] - running);
    busy = charged = device[0] + onDevice(snapshot, running);
    total = busy + idle;
  }
  return {
    total,
    qpu: charged,
    classical: busy - charged,
    idle: total - busy,
    cost: amount(snapshot, total),
    final: snapshot.usage_final,
    // what is over is known, however long the service is silent
    at_most:
      stated === null &&
      snapshot.active_periods.some(([, end]) => end === null) &&
      activeUntil(snapshot, now)[1],
    told: qpuTold(snapshot),
  };
}

/**
 * QPU, classical and idle time at the moment when the usage was what is shown of it: what is cut off the total so is no
 * part of any, and none of them falls while the total grows.
 */
export function shownParts(snapshot: Snapshot, used: Usage, now: number): Parts {
  const whole = cutSeconds(used.total);
  let rest = used.total - whole;
  if (snapshot.mode !== "dedicated") return [whole, 0, 0];
  const periods = activePeriods(snapshot, now);
  if (snapshot.device_time) {
    // what is cut is of what has grown last, and less than one job
    const running = runningFor(snapshot, periods[periods.length - 1]?.[1] ?? 0);
    const ended = snapshot.last_job_completed ?? 0;
    const before = overlap([[ended, Infinity]], periods) - running;
    const least = rest - Math.min(rest, onDevice(snapshot, running));
    const gap = Math.max(0, Math.min(least, before, used.idle));
    return [used.qpu - (rest - gap), 0, used.idle - gap];
  }
  for (let at = periods.length - 1; at >= 0 && rest > 0; at--) {
    const [begin, end] = periods[at]!;
    const cut = Math.min(rest, Math.max(0, end - begin));
    rest -= cut;
    periods[at] = [begin, end - cut];
  }
  const busy = Math.min(whole, overlap(busySpans(snapshot, now), periods));
  const charged = Math.min(chargedSeconds(snapshot), busy);
  return [charged, busy - charged, whole - busy];
}

/** Length of the part of `spans` that lies within `periods`; both are disjoint and in order. */
function overlap(spans: readonly Span[], periods: readonly Span[]): number {
  let sum = 0;
  let first = 0;
  for (const [from, to] of periods) {
    while (first < spans.length && spans[first]![1] <= from) first++;
    for (let i = first; i < spans.length && spans[i]![0] < to; i++) {
      sum += Math.max(0, Math.min(spans[i]![1], to) - Math.max(spans[i]![0], from));
    }
  }
  return sum;
}

export type Phase =
  | "open"
  | "queued"
  | "active"
  | "idle"
  | "deactivated"
  | "closing"
  | "closed"
  | "cancelled"
  | "job_mode"
  | "job_mode_running"
  | "not_opened";

/** Whether it is a session or batch that was not opened: it has only jobs of an earlier run. */
export function deferred({ state_reason }: SessionSnapshot): boolean {
  return state_reason === "deferred" || state_reason === "deferred_batch";
}

/** The phase of a session, as a code from which labels and colours follow. */
export function phase(snapshot: SessionSnapshot): Phase {
  const pending = pendingJobs(snapshot).length > 0;
  if (deferred(snapshot)) return "not_opened";
  if (snapshot.mode === "job") return pending ? "job_mode_running" : "job_mode";
  if (snapshot.state === "closed") {
    return snapshot.state_reason === "session_cancelled" ? "cancelled" : "closed";
  }
  if (!snapshot.accepting_jobs) return "closing";
  if (snapshot.state === "active") return pending ? "active" : "idle";
  if (pending) return "queued";
  return snapshot.state === "inactive" ? "deactivated" : "open";
}

/** How much a phase asks for attention; each front end has a colour for each tone. */
export type Tone = "good" | "warning" | "quiet" | "bad";

const TONES: Partial<Record<Phase, Tone>> = {
  active: "good",
  job_mode_running: "good",
  idle: "warning",
  closing: "warning",
};

export function phaseTone(of: Phase): Tone {
  return TONES[of] ?? "quiet";
}

export interface Reused {
  jobs: number;
  /** Of how many that were asked for. */
  of: number;
  /** Seconds that are billed for such jobs: how long they ran, or else their QPU time. */
  seconds: number;
  /** What that costs; null without a price. */
  dollars: number | null;
}

const reusedOf = new WeakMap<readonly JobRecord[], number>();

/** The jobs that were taken up of an earlier run; null where there are none. */
export function reused(snapshot: SessionSnapshot): Reused | null {
  const { jobs, mode, service, state_reason } = snapshot;
  const { reused: taken, reusedOutside, counts } = sumsOf(jobs);
  if (taken === 0) return null;
  let seconds = reusedOf.get(jobs);
  if (seconds === undefined) {
    // a session bills the time that a job ran, a batch and job mode its QPU time
    const byQpu = service.kind === "local" || (mode !== "dedicated" && state_reason !== "deferred");
    seconds = jobs.reduce((sum, job) => (job.reused ? sum + ran(job, byQpu) : sum), 0);
    reusedOf.set(jobs, seconds);
  }
  const of = Object.values(counts).reduce((sum, count) => sum + count, reusedOutside);
  return { jobs: taken, of, seconds, dollars: amount(snapshot, seconds) };
}

/** Seconds that a job ran, or else its QPU time; of the emulator's, what it would take on the device. */
function ran({ started, finished, exact, qpu_seconds: qpu }: JobRecord, byQpu: boolean): number {
  if (byQpu || !exact || started === null || finished === null) return qpu ?? 0;
  return Math.max(finished - started, qpu ?? 0);
}

/** Seconds left of the instance's quota, by the same meter as the usage; null without one. */
export function quotaLeft(snapshot: SessionSnapshot, usage: Usage): number | null {
  return snapshot.quota && Math.max(0, snapshot.quota[1] - usage.total);
}

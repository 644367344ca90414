// Every number derived from a snapshot, by the formulas of qsession_widgets/snapshot/numbers.py.
// tests/vectors/countdowns.json holds the cases both are tested with.
import { EMPTY_SESSION_TTL, type JobRecord, type SessionSnapshot } from "./snapshot.gen";
import { latest, sumsOf, type Span } from "./sums";

export { isFinal, type Span } from "./sums";

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
  const last = snapshot.state === "closed" ? (snapshot.closed_at ?? now) : now;
  return snapshot.active_periods.map(([begin, end]) => [begin, end ?? last]);
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

export function usage(snapshot: SessionSnapshot, now: number): Usage {
  const { qpu } = sumsOf(snapshot.jobs);
  const price = snapshot.service.price_per_second;
  const stated = snapshot.usage_final ? snapshot.usage_seconds : null;
  const priced = (total: number) => (price === null ? null : total * price);
  if (snapshot.mode !== "dedicated") {
    const total = stated ?? qpu;
    const cost = priced(total);
    return { total, qpu: total, classical: 0, idle: 0, cost, final: snapshot.usage_final };
  }
  const periods = activePeriods(snapshot, now);
  const total = stated ?? periods.reduce((sum, [begin, end]) => sum + Math.max(0, end - begin), 0);
  const busy = Math.min(total, overlap(busySpans(snapshot, now), periods));
  const charged = Math.min(qpu, busy);
  return {
    total,
    qpu: charged,
    classical: busy - charged,
    idle: total - busy,
    cost: priced(total),
    final: snapshot.usage_final,
  };
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

export function headline(snapshot: SessionSnapshot): string {
  const pending = pendingJobs(snapshot).length > 0;
  if (snapshot.mode === "job") return pending ? "Job mode, running" : "Job mode";
  if (snapshot.state === "closed") {
    return snapshot.state_reason === "session_cancelled" ? "Cancelled" : "Closed";
  }
  if (!snapshot.accepting_jobs) return "Closing";
  if (snapshot.state === "active") return pending ? "Active" : "Active, idle";
  if (pending) return "Waiting in the queue";
  return snapshot.state === "inactive" ? "Deactivated" : "Open, no job yet";
}

// Words about a series that has nearly stopped, with what each further job costs.
import { t } from "../translation";
import { formatMoney, formatValue } from "../formatting";
import { amount } from "../metrics";
import { stalled, WINDOW, type Series, type Stall } from "../objective";
import type { JobRecord, SessionSnapshot } from "../snapshot.gen";

const found = new WeakMap<Series, { count: number; stall: Stall | null }>();

/** A sentence where the series has nearly stopped, or may have, while the session goes on; otherwise empty. */
export function stallAdvice(series: Series | null, snapshot: SessionSnapshot): string {
  if (!series || snapshot.state === "closed" || !snapshot.accepting_jobs) return "";
  const count = series.points.length;
  let known = found.get(series);
  if (known?.count !== count) {
    known = { count, stall: stalled(series.points) };
    found.set(series, known);
  }
  const { stall } = known;
  if (!stall) return "";
  const dollars = amount(snapshot, furtherJob(snapshot));
  const costs = snapshot.service.charged ? "costs" : t`would cost`;
  const cost = dollars === null ? "" : t`: each further job ${costs} ≈ ${formatMoney(dollars)}`;
  const change = formatValue(Math.abs(stall.change), stall.noise);
  const steps = t`last ${WINDOW} steps (${stall.values} values)`;
  if (!stall.slow)
    return t`“${series.name}” may stand still or go on: its ${steps} changed it by ${change}, no more than its noise.`;
  return t`“${series.name}” has nearly stopped${cost}. Its ${steps} changed it by ${change}.`;
}

/** Jobs by which the next one is judged, at most. */
const JUDGED_BY = 8;

/** Seconds that one more job bills, with the time before it: the median of the latest; null without one. */
function furtherJob({ jobs, mode, interactive_ttl: ttl, device_time }: SessionSnapshot) {
  const took: number[] = [];
  let next: JobRecord | null = null;
  for (let i = jobs.length - 1; i >= 0 && took.length < JUDGED_BY; i--) {
    const job = jobs[i]!;
    if (job.stray || job.reused || job.status !== "done" || job.finished === null) continue;
    const { started, finished, qpu_seconds: qpu } = next ?? job;
    if (mode !== "dedicated") {
      if (job.qpu_seconds !== null) took.push(job.qpu_seconds);
    } else if (next) {
      const ran = device_time ? (qpu ?? 0) : finished! - started!;
      // idle time is billed up to the interactive timeout
      took.push(ran + Math.min(Math.max(0, started! - job.finished), ttl ?? Infinity));
    }
    if (job.started !== null) next = job;
  }
  took.sort((a, b) => a - b);
  return took[Math.floor((took.length - 1) / 2)] ?? null;
}

// A job's times and status as the list and the timeline give them.
import { isFinal } from "#shared/countdowns";
import { formatClock, formatSeconds, plural } from "#shared/format";
import type { JobRecord, JobStatus } from "#shared/snapshot.gen";

export const STATUS_WORDS: Record<JobStatus, string> = {
  queued: "Queued",
  running: "Running",
  done: "Done",
  cancelled: "Cancelled",
  failed: "Failed",
};

export function queuedSeconds(job: JobRecord, now: number): number {
  return (job.started ?? job.finished ?? now) - job.created;
}

export function ranSeconds(job: JobRecord, now: number): number | null {
  if (job.started === null) return null;
  if (job.finished !== null) return job.finished - job.started;
  return isFinal(job) ? null : now - job.started;
}

/** What it runs: `estimator · 2 pubs`. */
export function what(job: JobRecord): string {
  return job.pubs === null ? job.program : `${job.program} · ${plural(job.pubs, "pub")}`;
}

/** Everything known of a job, a line each, the id first. */
export function details(job: JobRecord, now: number): string[] {
  const ran = ranSeconds(job, now);
  const lines = [
    job.id,
    `${what(job)} · ${STATUS_WORDS[job.status]}`,
    `submitted ${formatClock(job.created, now)}, queued ${formatSeconds(queuedSeconds(job, now))}`,
  ];
  if (ran !== null) {
    lines.push(`ran ${formatSeconds(ran)}${job.exact ? "" : " (as seen by polling)"}`);
  }
  if (job.qpu_seconds !== null) lines.push(`QPU ${formatSeconds(job.qpu_seconds)}`);
  if (job.error !== null) lines.push(job.error);
  return lines;
}

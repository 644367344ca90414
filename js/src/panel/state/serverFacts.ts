// A session as the Jupyter server knows it, in place of a kernel that is gone, out of reach or does not answer: then the
// panel shows what side panel and status bar show.
import { isPlaceholder, placeholders } from "#shared/placeholders";
import { FOLLOW_SESSION } from "#shared/offers";
import { sumsOf } from "#shared/jobAggregates";
import { isFinal } from "#shared/metrics";
import type { FollowSession, Snapshot } from "#shared/serverTypes";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";

export function serverSessionFeed(): FollowSession | undefined {
  return (globalThis as unknown as Record<symbol, FollowSession | undefined>)[FOLLOW_SESSION];
}

/** What the service tells of a session; all else is its kernel's. */
const FROM_SERVICE = [
  "state",
  "state_reason",
  "accepting_jobs",
  "started_at",
  "activated_at",
  "closed_at",
  "last_job_started",
  "last_job_completed",
  "interactive_ttl",
  "max_ttl",
  "active_periods",
  "usage_seconds",
  "usage_final",
  "device_time",
  "device_running",
  "others",
  "queue_length",
  "queue_wait",
  "answered_at",
  "poll_interval",
  "problem",
  "problem_since",
  "end_reason",
  "end_running",
  "end_usage",
] as const;

/** The service's facts as the server has them, with what only the kernel knew. */
export function withServerFacts(own: SessionSnapshot, fed: Snapshot): SessionSnapshot {
  const told = FROM_SERVICE.filter((name) => fed[name] !== undefined);
  const facts = Object.fromEntries(told.map((name) => [name, fed[name]]));
  return { ...own, ...facts, jobs: mergeJobs(own.jobs, fed) };
}

/** The server names only the newest jobs, and counts them all. */
function mergeJobs(own: readonly JobRecord[], { jobs, counts }: Snapshot): JobRecord[] {
  const fed = new Map(jobs.filter((job) => !isPlaceholder(job)).map((job) => [job.id, job]));
  const named = [...fed.values()];
  const unnamed = { queued: 0, running: 0 };
  for (const status of ["queued", "running"] as const) {
    const listed = named.filter((job) => !job.stray && job.status === status).length;
    unnamed[status] = (counts?.[status] ?? listed) - listed;
  }
  const merged = own.map((job): JobRecord => {
    const news = fed.get(job.id);
    fed.delete(job.id);
    if (news) {
      const { program, pubs, cell, stray, reused } = job;
      return job.exact && !news.exact ? job : { ...news, program, pubs, cell, stray, reused };
    }
    if (job.stray || isFinal(job)) return job;
    // the newest to be known waits longest
    if (unnamed.running > 0 && unnamed.running--) return { ...job, status: "running" };
    if (unnamed.queued > 0 && unnamed.queued--) return { ...job, status: "queued" };
    // it is over, and how it ended is not told
    return { ...job, status: "done" };
  });
  merged.push(...fed.values());
  merged.sort((a, b) => a.created - b.created);
  if (!counts) return merged;
  const known = sumsOf(merged).counts;
  const at = merged[0]?.created ?? 0;
  return [...placeholders(counts, at, (status) => known[status]), ...merged];
}

import { formatCount, formatDuration, unbroken } from "#shared/format";
import type { SessionStore } from "./store";

/** How far the session is when the user said how many jobs there will be. */
export function Progress({ store }: { store: SessionStore }) {
  const { snapshot } = store;
  const expected = snapshot.expected_jobs;
  if (expected === null || expected <= 0) return null;
  const { done } = store;
  const first = snapshot.jobs.find((job) => job.started !== null)?.started ?? null;
  const last = snapshot.last_job_completed;
  const open =
    snapshot.accepting_jobs && done >= 3 && done < expected && first !== null && last !== null;
  const left = open ? ((last - first) / done) * (expected - done) : null;
  return (
    <span class="qs-progress">
      <span
        class="qs-bar qs-bar-done"
        role="progressbar"
        aria-label="Jobs done"
        aria-valuemin={0}
        aria-valuemax={expected}
        aria-valuenow={Math.min(done, expected)}
      >
        <span style={{ width: `${Math.min(100, (100 * done) / expected)}%` }} />
      </span>
      {formatCount(done)} of {formatCount(expected)} jobs
      {left !== null && unbroken(` · ≈ ${formatDuration(left)} left`)}
    </span>
  );
}

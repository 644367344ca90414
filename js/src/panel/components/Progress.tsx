import { t } from "#shared/translation";
import {
  dollarsOf,
  formatCount,
  formatDuration,
  formatMoney,
  plural,
  unbroken,
} from "#shared/formatting";
import { sumsOf } from "#shared/jobAggregates";
import type { JobRecord, ServiceInfo } from "#shared/snapshot.gen";
import type { SessionStore } from "../state/store";

/** How far the session is when the user said how many jobs there will be. */
export function Progress({ store }: { store: SessionStore }) {
  const { snapshot } = store;
  const expected = snapshot.expected_jobs;
  if (expected === null || expected <= 0) return null;
  // those that were taken up are among the expected ones
  const done = store.done + reusedOutside(snapshot.jobs);
  const come = toComeWords(store.toCome, snapshot.service);
  return (
    <span class="qs-progress">
      <span
        class="qs-bar qs-bar-done"
        role="progressbar"
        aria-label={t`Jobs done`}
        aria-valuemin={0}
        aria-valuemax={expected}
        aria-valuenow={Math.min(done, expected)}
      >
        <span style={{ width: `${Math.min(100, (100 * done) / expected)}%` }} />
      </span>
      <span>
        {done > expected
          ? t`${formatCount(done)} jobs, ${formatCount(expected)} expected`
          : t`${formatCount(done)} of ${formatCount(expected)} jobs`}
        {come.left && unbroken(` · ${come.left}`)}
        {come.lost && <span class="qs-warn">{unbroken(` · ${come.lost}`)}</span>}
      </span>
    </span>
  );
}

/** Done jobs that were taken up of another session, which no count of this one has. */
function reusedOutside(jobs: readonly JobRecord[]): number {
  if (sumsOf(jobs).reusedOutside === 0) return 0;
  return jobs.filter((job) => job.reused && job.stray && job.status === "done").length;
}

/** What is still to come, in time and dollars, and what has no room; the receipt has it in full. */
export function toComeWords(
  come: SessionStore["toCome"],
  { price_per_second: price, charged }: ServiceInfo,
): { left: string; lost: string } {
  if (!come) return { left: "", lost: "" };
  const [low, high, used, usedAtMost, late, pastBudget, pastQuota] = come;
  const range = (words: string[]) => [...new Set(words)].join(t` to `);
  let left = t`≈ ${range([low, high].map(formatDuration))} left`;
  if (price !== null) {
    const money = range(
      [used, usedAtMost].map((seconds) => formatMoney(dollarsOf(seconds, price) ?? 0)),
    );
    left += t`, ${charged ? "" : t`would be `}${money} more`;
  }
  // of the limits the one that is reached first, for the line stays short
  const most = Math.max(late, pastBudget, pastQuota);
  const lost =
    most === 0
      ? ""
      : late === most
        ? t`about ${plural(late, "job")} will fail`
        : t`no ${pastBudget === most ? t`budget` : t`quota`} left for about ${plural(most, "job")}`;
  if (!lost) left += t`, within all limits`;
  return { left, lost };
}

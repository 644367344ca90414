// A session that is over: its total, its jobs, and why it ended, instead of clocks that stand still.
import { usage } from "#shared/countdowns";
import { formatClock, formatCount, formatDuration, unbroken } from "#shared/format";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import { sumsOf } from "#shared/sums";
import type { SessionStore } from "./store";
import { UsageBar, UsageFigure } from "./Usage";

export function Closed({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot } = store;
  const spent = usage(snapshot, snapshot.closed_at ?? now);
  const { closed_at: closed, opened_at: opened } = snapshot;
  return (
    <div class="qs-clocks">
      <div class="qs-cell">
        <div class="qs-label">
          {snapshot.state_reason === "session_cancelled" ? "Cancelled" : "Closed"}
        </div>
        <div class="qs-figure">{closed === null ? "–" : formatClock(closed, now)}</div>
        <div class="qs-note">
          {why(snapshot)}
          {closed !== null &&
            opened !== null &&
            unbroken(`, open for ${formatDuration(closed - opened)}`)}
        </div>
      </div>
      <div class="qs-cell">
        <div class="qs-label">Jobs</div>
        <div class="qs-figure">{formatCount(store.total)}</div>
        <div class="qs-note">{outcomes(store)}</div>
      </div>
      <div class="qs-cell qs-usage">
        <div class="qs-label">{spent.final ? "Usage, final" : "Usage, estimate"}</div>
        <UsageFigure store={store} usage={spent} />
        <UsageBar snapshot={snapshot} usage={spent} split={store.jobsKnown} />
      </div>
    </div>
  );
}

/** What became of the jobs: `12 done · 1 failed · 1 outside`. */
export function outcomes(store: SessionStore): string {
  if (!store.jobsKnown) return store.total === 0 ? NO_JOB : `${store.done} done`;
  const { counts, strays } = sumsOf(store.snapshot.jobs);
  const parts = (["done", "failed", "cancelled", "running", "queued"] as const)
    .filter((status) => counts[status] > 0)
    .map((status) => `${formatCount(counts[status])} ${status}`);
  if (parts.length === 0) parts.push(NO_JOB);
  // the list below has them, too
  if (strays > 0) parts.push(`${formatCount(strays)} outside`);
  return parts.join(" · ");
}

const NO_JOB = "none was submitted";

const REASONS: Record<string, string> = {
  session_closed_early: "closed on request",
  session_cancelled: "cancelled on request",
};

/** Why it ended, from its own times where they tell, otherwise the service's word. */
export function why(snapshot: SessionSnapshot): string {
  const { closed_at: closed, started_at: started, opened_at: opened, max_ttl: max } = snapshot;
  if (closed !== null && started !== null && max !== null && closed >= started + max - 1) {
    return `the maximum time of ${formatDuration(max)} was reached`;
  }
  if (closed !== null && started === null && opened !== null && closed >= opened + 1799) {
    return "no job ran for 30 minutes";
  }
  const reason = snapshot.state_reason;
  if (!reason) return "ended";
  return REASONS[reason] ?? reason.replace(/^session_/, "").replaceAll("_", " ");
}

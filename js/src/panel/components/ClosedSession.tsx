// A session that is over: its total, its jobs, and why it ended, instead of clocks that stand still.
import { t } from "#shared/translation";
import { usage } from "#shared/metrics";
import { endReason } from "#shared/messages/outcomes";
import { formatClock, formatCount, unbroken } from "#shared/formatting";
import { sumsOf } from "#shared/jobAggregates";
import type { SessionStore } from "../state/store";
import { STATUS_WORDS } from "../state/jobTimes";
import { UsageBar, UsageFigure, usageLabel } from "./Usage";

export function ClosedSession({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot } = store;
  const spent = usage(snapshot, snapshot.closed_at ?? now);
  const { closed_at: closed } = snapshot;
  return (
    <div class="qs-clocks">
      <div class="qs-cell qs-ended">
        <div class="qs-label">{t`Ended`}</div>
        <div class="qs-figure">{closed === null ? "–" : formatClock(closed, now)}</div>
        <div class="qs-note">{unbroken(endReason(snapshot, closed ?? now))}</div>
      </div>
      <div class="qs-cell">
        <div class="qs-label">{t`Jobs`}</div>
        <div class="qs-figure">{formatCount(store.total)}</div>
        <div class="qs-note">{outcomes(store)}</div>
      </div>
      <div class="qs-cell qs-usage">
        <div class="qs-label">{usageLabel(snapshot, spent)}</div>
        <UsageFigure store={store} usage={spent} />
        <UsageBar snapshot={snapshot} usage={spent} now={now} split={store.jobsKnown} />
      </div>
    </div>
  );
}

/** Counts of the jobs by outcome: `12 done · 1 failed · 1 outside`. */
export function outcomes(store: SessionStore): string {
  if (!store.jobsKnown) return store.total === 0 ? noJob() : t`${store.done} done`;
  const { counts, strays, reused } = sumsOf(store.snapshot.jobs);
  const parts = (["done", "failed", "cancelled", "running", "queued"] as const)
    .filter((status) => counts[status] > 0)
    .map((status) => `${formatCount(counts[status])} ${STATUS_WORDS[status].toLowerCase()}`);
  if (parts.length === 0) parts.push(noJob());
  // the list below has them, too
  if (strays > 0) parts.push(t`${formatCount(strays)} outside`);
  if (reused > 0) parts.push(t`${formatCount(reused)} reused`);
  return parts.join(" · ");
}

const noJob = () => t`none was submitted`;

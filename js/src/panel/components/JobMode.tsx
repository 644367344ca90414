// Figures of job mode, in which there is no session and each job goes through the queue by itself,
// and of a session that was not opened, as all its jobs so far are those of an earlier run.
import { sentences, t } from "#shared/translation";
import { noun } from "#shared/consequences";
import { notOpened } from "#shared/messages/labels";
import { deferred, usage } from "#shared/metrics";
import { formatCount, plural } from "#shared/formatting";
import { outcomes } from "./ClosedSession";
import type { SessionStore } from "../state/store";
import { UsageBar, UsageFigure } from "./Usage";

const REASONS: Record<string, string> = sentences({
  no_sessions_on_plan: "this plan has no sessions; a batch is possible (%%batch)",
});

export function JobMode({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot } = store;
  const { queue_length: queue } = snapshot;
  const spent = usage(snapshot, now);
  const unopened = deferred(snapshot);
  const what = noun(snapshot);
  return (
    <div class="qs-clocks">
      <div class="qs-cell">
        <div class="qs-label">{`${what[0]!.toUpperCase()}${what.slice(1)}`}</div>
        <div class="qs-figure">{unopened ? t`Not opened` : t`No session`}</div>
        <div class="qs-note">
          {unopened
            ? notOpened(snapshot)
            : t`each job queues by itself: ${REASONS[snapshot.state_reason ?? ""] ?? t`as was asked for`}`}
        </div>
      </div>
      <div class="qs-cell">
        <div class="qs-label">{t`Jobs of this kernel`}</div>
        <div class="qs-figure">{formatCount(store.total)}</div>
        <div class="qs-note">
          {outcomes(store)}
          {queue !== null && t` · ${plural(queue, "job")} in the whole queue`}
        </div>
      </div>
      <div class="qs-cell qs-usage">
        <div class="qs-label">{unopened ? t`Usage` : t`Usage, estimate`}</div>
        <UsageFigure store={store} usage={spent} />
        <UsageBar snapshot={snapshot} usage={spent} now={now} split={store.jobsKnown} />
      </div>
    </div>
  );
}

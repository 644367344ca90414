// The policies of this kernel for the session: budget, number of jobs, idle close, strict.
import { t } from "#shared/translation";
import { hasRun } from "#shared/idleSmoothing";
import { idleTimeout, usage } from "#shared/metrics";
import { noun } from "#shared/consequences";
import {
  dollarsOf,
  formatCount,
  formatCountdown,
  formatDuration,
  formatMoney,
  plural,
} from "#shared/formatting";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import type { SessionStore } from "../state/store";

/** The share of a budget from which on it is told as a warning, as the kernel does. */
const WARN_AT = 0.8;

export function Policies({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot } = store;
  const { idle_close: idle, max_jobs: most, budget_seconds: budget, strict } = snapshot;
  if (idle === null && most === null && budget === null && !strict) return null;
  const over = snapshot.state === "closed";
  const kept = over || store.link !== "lost";
  return (
    <ul class="qs-rules" aria-label={t`Rules of this ${noun(snapshot)}`}>
      {budget !== null && <Budget snapshot={snapshot} now={now} budget={budget} />}
      {most !== null && <MostJobs sent={store.total} most={most} />}
      {strict && (
        <li>
          {t`Strict: jobs that would run outside the`} {noun(snapshot)} {t`are refused.`}
        </li>
      )}
      {idle !== null && <IdleClose snapshot={snapshot} now={now} />}
      {!kept && <li class="qs-warn">{t`The kernel that keeps these rules is gone.`}</li>}
    </ul>
  );
}

function MostJobs({ sent, most }: { sent: number; most: number }) {
  // a loop of jobs says nothing new with each of them, until it is near
  if (sent < WARN_AT * most)
    return (
      <li>
        {t`Closes after`} {plural(most, "job")}.
      </li>
    );
  return (
    <li class="qs-warn">
      {formatCount(sent)} {t`of`} {plural(most, "job")}
      {t`, then it closes.`}
    </li>
  );
}

function IdleClose({ snapshot, now }: { snapshot: SessionSnapshot; now: number }) {
  const countdown = idleTimeout(snapshot, now);
  // what ended it is said above
  if (countdown === null)
    return (
      <li>
        {t`Idle close after`} {formatDuration(snapshot.idle_close ?? 0)}.
      </li>
    );
  // not in the moment between two jobs of a loop
  if (!hasRun(countdown)) {
    return (
      <li>
        {t`Closes after`} {formatDuration(countdown.total)} {t`with nothing pending.`}
      </li>
    );
  }
  const soon = countdown.remaining < 0.2 * countdown.total;
  return (
    <li>
      {t`Nothing is pending: closes in`}{" "}
      <b role="timer" aria-label={t`Idle close`} aria-live="off" class={soon ? "qs-warn" : ""}>
        {formatCountdown(countdown.remaining)}
      </b>
    </li>
  );
}

interface BudgetProps {
  snapshot: SessionSnapshot;
  now: number;
  budget: number;
}

function Budget({ snapshot, now, budget }: BudgetProps) {
  const spent = usage(snapshot, now).total;
  const share = Math.min(1, spent / budget);
  // the kernel made seconds of the dollars at the plan's price, whatever price this page counts with
  const { budget_dollars: dollars } = snapshot;
  const words =
    dollars === null
      ? t`${formatDuration(spent)} of ${formatDuration(budget)}`
      : t`≈ ${formatMoney(dollarsOf(spent, dollars / budget, snapshot.usage_final) ?? 0)} of ${formatMoney(dollars)}`;
  const tone = share >= WARN_AT ? "warning" : "within";
  return (
    <li class="qs-budget">
      <span>{t`Budget`}</span>
      <span
        class={`qs-bar qs-bar-${tone}`}
        role="progressbar"
        aria-label={t`Budget used`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(100 * share)}
        aria-valuetext={words}
      >
        <span style={{ width: `${100 * share}%` }} />
      </span>
      <span class={tone === "warning" ? "qs-warn" : ""}>{words}</span>
      {/* its room is kept when it is over */}
      <span style={snapshot.state === "closed" ? { visibility: "hidden" } : {}}>
        {share < 1 ? t`then it ends and queued jobs are cancelled` : t`spent: it ends`}
      </span>
    </li>
  );
}

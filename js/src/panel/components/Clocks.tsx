import { t } from "#shared/translation";
import { isIdle } from "#shared/idleSmoothing";
import {
  emptyTimeout,
  interactiveTimeout,
  maximumTime,
  pendingJobs,
  usage,
  type Countdown,
} from "#shared/metrics";
import { formatClock, formatCountdown, plural } from "#shared/formatting";
import { interactiveNote, shownTimeout } from "#shared/messages/timeouts";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import type { SessionStore } from "../state/store";
import { UsageBar, UsageFigure, usageLabel } from "./Usage";

/** The two clocks and the usage: what is left, what happens at zero, what it costs. */
export function Clocks({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot } = store;
  const empty = emptyTimeout(snapshot, now);
  const pending = pendingJobs(snapshot).length;
  const interactive = shownTimeout(snapshot, interactiveTimeout(snapshot, now));
  const maximum = maximumTime(snapshot, now);
  const spent = usage(snapshot, now);
  return (
    <div class="qs-clocks">
      {!snapshot.accepting_jobs ? (
        <Ending pending={pending} />
      ) : empty && !snapshot.started_at ? (
        <Clock
          label={t`Closes by itself`}
          countdown={empty}
          tone={empty.remaining < 0.1 * empty.total ? "warning" : "off"}
          note={t`if no job runs by ${formatClock(empty.ends_at ?? now, now)}`}
        />
      ) : (
        <Clock
          label={t`Interactive timeout`}
          countdown={interactive}
          tone={interactiveTone(snapshot, interactive, now)}
          note={interactiveNote(snapshot, interactive, now)}
        />
      )}
      <Clock
        label={t`Maximum time`}
        countdown={maximum}
        tone={
          maximum?.running
            ? maximum.remaining < 0.1 * maximum.total
              ? "warning"
              : "running"
            : "off"
        }
        note={maximumNote(maximum, now)}
      />
      <div class="qs-cell qs-usage">
        <div class="qs-label">{usageLabel(snapshot, spent)}</div>
        <UsageFigure store={store} usage={spent} />
        <UsageBar snapshot={snapshot} usage={spent} now={now} split={store.jobsKnown} />
      </div>
    </div>
  );
}

function interactiveTone(
  snapshot: SessionSnapshot,
  countdown: Countdown | null,
  now: number,
): string {
  if (!countdown || snapshot.state !== "active") return "off";
  if (!countdown.running || !isIdle(snapshot, now)) return "done";
  return countdown.remaining < 0.1 * countdown.total ? "warning" : "idle";
}

function maximumNote(countdown: Countdown | null, now: number): string {
  if (!countdown) return t`the service tells none`;
  const total = formatCountdown(countdown.total);
  if (!countdown.running) return t`of ${total}, from the first job`;
  if (countdown.remaining <= 0) return t`passed: queued jobs fail, a running one finishes`;
  return t`of ${total}, ends\u00a0${formatClock(countdown.ends_at ?? now, now)}`;
}

/** No timeout counts for a session that takes no more jobs: it ends with those that it has. */
function Ending({ pending }: { pending: number }) {
  return (
    <div class="qs-cell qs-clock">
      <Ring />
      <div class="qs-clock-text">
        <div class="qs-label">{pending > 0 ? t`Closes after` : t`Closes`}</div>
        <div class="qs-figure">{pending > 0 ? plural(pending, "job") : t`now`}</div>
        <div class="qs-note">{t`no more jobs are accepted`}</div>
      </div>
    </div>
  );
}

interface ClockProps {
  label: string;
  countdown: Countdown | null;
  tone: string;
  note: string;
}

const RADIUS = 26;
const ROUND = 2 * Math.PI * RADIUS;

function Ring({ share = 0, look = "" }: { share?: number; look?: string }) {
  return (
    <svg class="qs-ring" viewBox="0 0 64 64" width="64" height="64" aria-hidden="true">
      <circle class="qs-track" cx="32" cy="32" r={RADIUS} />
      {share > 0 && (
        <circle
          class={`qs-arc ${look}`}
          cx="32"
          cy="32"
          r={RADIUS}
          stroke-dasharray={ROUND}
          stroke-dashoffset={ROUND * (1 - share)}
          transform="rotate(-90 32 32)"
        />
      )}
    </svg>
  );
}

function Clock({ label, countdown, tone, note }: ClockProps) {
  const share = countdown && countdown.total > 0 ? countdown.remaining / countdown.total : 0;
  // a slow ring moves by less than a pixel a second: animating that would only keep the page busy
  const quick = countdown?.running && ROUND / countdown.total > 0.5;
  return (
    <div class="qs-cell qs-clock">
      <Ring share={share} look={`qs-arc-${tone}${quick ? " qs-arc-quick" : ""}`} />
      <div class="qs-clock-text">
        <div class="qs-label">{label}</div>
        <div class="qs-figure" role="timer" aria-label={label} aria-live="off">
          {countdown ? formatCountdown(countdown.remaining) : "–"}
        </div>
        <div class="qs-note">{note}</div>
      </div>
    </div>
  );
}

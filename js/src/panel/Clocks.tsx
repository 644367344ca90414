import { isIdle } from "#shared/calm";
import {
  emptyTimeout,
  interactiveTimeout,
  maximumTime,
  pendingJobs,
  usage,
  type Countdown,
} from "#shared/countdowns";
import { formatClock, formatCountdown, formatDuration } from "#shared/format";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import type { SessionStore } from "./store";
import { UsageBar, UsageFigure } from "./Usage";

/** The two clocks and the usage: what is left, what happens at zero, what it costs. */
export function Clocks({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot } = store;
  const empty = emptyTimeout(snapshot, now);
  const interactive = shownTimeout(snapshot, interactiveTimeout(snapshot, now));
  const maximum = maximumTime(snapshot, now);
  const spent = usage(snapshot, now);
  return (
    <div class="qs-clocks">
      {empty && !snapshot.started_at ? (
        <Clock
          label="Closes by itself"
          countdown={empty}
          tone={empty.remaining < 0.1 * empty.total ? "warning" : "off"}
          note={`if no job runs by ${formatClock(empty.ends_at ?? now, now)}`}
        />
      ) : (
        <Clock
          label="Interactive timeout"
          countdown={interactive}
          tone={interactiveTone(snapshot, interactive, now)}
          note={interactiveNote(snapshot, interactive)}
        />
      )}
      <Clock
        label="Maximum time"
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
        <div class="qs-label">{spent.cost === null ? "Usage, estimate" : "Usage"}</div>
        <UsageFigure store={store} usage={spent} />
        <UsageBar snapshot={snapshot} usage={spent} split={store.jobsKnown} />
      </div>
    </div>
  );
}

/** A deactivated session's has passed; with a job queued, it is about to be full again. */
function shownTimeout(snapshot: SessionSnapshot, countdown: Countdown | null): Countdown | null {
  const passed = snapshot.state === "inactive" && pendingJobs(snapshot).length === 0;
  return countdown && passed ? { ...countdown, remaining: 0 } : countdown;
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

function interactiveNote(snapshot: SessionSnapshot, countdown: Countdown | null): string {
  if (!countdown) return "the service gave none";
  if (snapshot.state === "open") return "starts after the first job";
  if (snapshot.state === "inactive") {
    return countdown.remaining > 0
      ? "starts after the queued job"
      : "passed: the next job queues again";
  }
  if (!snapshot.accepting_jobs) return "closing: no more jobs accepted";
  if (!countdown.running) return "paused while a job is pending";
  return countdown.remaining > 0
    ? "then deactivated: next job queues again"
    : "passed: being deactivated";
}

function maximumNote(countdown: Countdown | null, now: number): string {
  if (!countdown) return "the service gave none";
  const total = formatCountdown(countdown.total);
  if (!countdown.running) return `of ${total}, from the first job`;
  if (countdown.remaining <= 0) return "passed: queued jobs fail, a running one finishes";
  return `of ${total}, ends\u00a0${formatClock(countdown.ends_at ?? now, now)}`;
}

interface ClockProps {
  label: string;
  countdown: Countdown | null;
  tone: string;
  note: string;
}

const RADIUS = 26;
const ROUND = 2 * Math.PI * RADIUS;

function Clock({ label, countdown, tone, note }: ClockProps) {
  const share = countdown && countdown.total > 0 ? countdown.remaining / countdown.total : 0;
  // a slow ring moves by less than a pixel a second: animating that would only keep the page busy
  const quick = countdown?.running && ROUND / countdown.total > 0.5;
  return (
    <div class="qs-cell qs-clock">
      <svg class="qs-ring" viewBox="0 0 64 64" width="64" height="64" aria-hidden="true">
        <circle class="qs-track" cx="32" cy="32" r={RADIUS} />
        {share > 0 && (
          <circle
            class={`qs-arc qs-arc-${tone}${quick ? " qs-arc-quick" : ""}`}
            cx="32"
            cy="32"
            r={RADIUS}
            stroke-dasharray={ROUND}
            stroke-dashoffset={ROUND * (1 - share)}
            transform="rotate(-90 32 32)"
          />
        )}
      </svg>
      <div class="qs-clock-text">
        <div class="qs-label">{label}</div>
        <div
          class="qs-figure"
          role="timer"
          aria-label={label}
          aria-live="off"
          title={countdown ? formatDuration(countdown.remaining) : ""}
        >
          {countdown ? formatCountdown(countdown.remaining) : "–"}
        </div>
        <div class="qs-note">{note}</div>
      </div>
    </div>
  );
}

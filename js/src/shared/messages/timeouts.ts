// The interactive timeout in figures and words, the same on panel, side panel, popover and status bar.
// qsession_widgets/messages/labels.py has the words of one that does not run for terminals.
import { t } from "../translation";
import { isIdle } from "../idleSmoothing";
import { pendingJobs, type Countdown } from "../metrics";
import type { SessionSnapshot } from "../snapshot.gen";

/** A deactivated session's has passed; with a job queued, it is about to be full again. */
export function shownTimeout(
  snapshot: SessionSnapshot,
  countdown: Countdown | null,
): Countdown | null {
  const passed = snapshot.state === "inactive" && pendingJobs(snapshot).length === 0;
  return countdown && passed ? { ...countdown, remaining: 0 } : countdown;
}

/** What follows at zero, or when it counts. */
export function interactiveNote(
  snapshot: SessionSnapshot,
  countdown: Countdown | null,
  now: number,
): string {
  if (!countdown) return t`the service tells none`;
  if (snapshot.state === "open") return t`starts after the first job`;
  if (snapshot.state === "inactive") {
    return countdown.remaining > 0
      ? t`starts after the queued job`
      : t`passed: the next job queues again`;
  }
  // true in the moment between two jobs of a loop, too
  if (!isIdle(snapshot, now)) return t`counts while no job is pending`;
  return countdown.remaining > 0
    ? t`then the next job queues again`
    : t`passed: the service deactivates it`;
}

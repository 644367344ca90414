// Idle time as it is shown. Between the jobs of a loop there is always a moment without one, and a state that flickers
// once a job informs nobody: a session is shown as idle after some seconds.
import { interactiveTimeout, phase, type Countdown, type Phase } from "./metrics";
import type { SessionSnapshot } from "./snapshot.gen";

/** Seconds without a pending job after which a session is shown as idle. */
export const IDLE_AFTER = 3;

/** Whether a countdown has run for some seconds, or has passed, however short it was. */
export function hasRun(countdown: Countdown | null, seconds = IDLE_AFTER): boolean {
  if (!countdown?.running) return false;
  return countdown.remaining <= 0 || countdown.total - countdown.remaining >= seconds;
}

/** Whether nothing has been pending for some seconds. */
export function isIdle(snapshot: SessionSnapshot, now: number): boolean {
  return hasRun(interactiveTimeout(snapshot, now));
}

/** The phase, without the idle moments between the jobs of a loop. */
export function smoothedPhase(snapshot: SessionSnapshot, now: number): Phase {
  const code = phase(snapshot);
  const counting = interactiveTimeout(snapshot, now)?.running === true;
  return code === "idle" && counting && !isIdle(snapshot, now) ? "active" : code;
}

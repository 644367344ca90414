// Between the jobs of a loop there is always a moment without one. What flickers once a job tells nobody anything: a
// session is called idle when it has been so for a while.
import { headline, interactiveTimeout, type Countdown } from "./countdowns";
import type { SessionSnapshot } from "./snapshot.gen";

/** Seconds. */
export const A_WHILE = 3;

/** Whether a countdown has run for so long that it is worth a word. One that has passed is, however short it was. */
export function hasRun(countdown: Countdown | null, seconds = A_WHILE): boolean {
  if (!countdown?.running) return false;
  return countdown.remaining <= 0 || countdown.total - countdown.remaining >= seconds;
}

/** Whether nothing has been pending for a while. */
export function isIdle(snapshot: SessionSnapshot, now: number): boolean {
  return hasRun(interactiveTimeout(snapshot, now));
}

/** The state in words that stay while a loop of jobs runs. */
export function calmHeadline(snapshot: SessionSnapshot, now: number): string {
  const words = headline(snapshot);
  const known = interactiveTimeout(snapshot, now)?.running === true;
  return words === "Active, idle" && known && !isIdle(snapshot, now) ? "Active" : words;
}

// Between the jobs of a loop there is always a moment without one. What flickers once a job tells nobody anything: a
// session is called idle when it has been so for a while.
import { headline, interactiveTimeout } from "./countdowns";
import type { SessionSnapshot } from "./snapshot.gen";

/** Seconds. */
export const A_WHILE = 3;

/** Whether nothing has been pending for so long that it is worth a word. */
export function isIdle(snapshot: SessionSnapshot, now: number): boolean {
  const timeout = interactiveTimeout(snapshot, now);
  if (!timeout?.running) return false;
  return timeout.remaining <= 0 || timeout.total - timeout.remaining >= A_WHILE;
}

/** The state in words that stay while a loop of jobs runs. */
export function calmHeadline(snapshot: SessionSnapshot, now: number): string {
  const words = headline(snapshot);
  const known = interactiveTimeout(snapshot, now)?.running === true;
  return words === "Active, idle" && known && !isIdle(snapshot, now) ? "Active" : words;
}

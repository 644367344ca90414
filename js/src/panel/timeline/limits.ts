// The ends that lie ahead of a session, as times on the axis.
import { interactiveTimeout, maximumTime, usage } from "#shared/metrics";
import type { SessionSnapshot } from "#shared/snapshot.gen";

export interface Limit {
  at: number;
  words: string;
}

/** When the interactive timeout, the maximum time and the budget end, as far as they run now. */
export function limits(snapshot: SessionSnapshot, now: number): Limit[] {
  if (snapshot.state === "closed") return [];
  const [timeout, maximum] = [interactiveTimeout(snapshot, now), maximumTime(snapshot, now)];
  const found: Limit[] = [];
  if (timeout?.running && timeout.ends_at !== null)
    found.push({ at: timeout.ends_at, words: "timeout" });
  if (maximum?.running && maximum.ends_at !== null)
    found.push({ at: maximum.ends_at, words: "maximum time" });
  const { budget_seconds: budget, mode, state } = snapshot;
  // only an active session spends a second of it each second
  if (budget !== null && mode === "dedicated" && state === "active")
    found.push({ at: now + budget - usage(snapshot, now).total, words: "budget" });
  return found.filter(({ at }) => at > now).sort((a, b) => a.at - b.at);
}

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

export interface PlacedWords {
  words: string;
  /** Their middle, in pixels. */
  x: number;
}

const LETTER = 5.6;
const BETWEEN = 8;

/** The words at limits, in pixels from `left` to `right`: each below its own line, those without room for both together. */
export function placeWords(
  marks: { x: number; words: string }[],
  left: number,
  right: number,
  scale: number,
): PlacedWords[] {
  const half = (words: string) => (words.length * LETTER * scale) / 2;
  const placed = (from: number, to: number, words: string) => {
    const middle = Math.min((from + to) / 2, right - half(words));
    return { words, x: Math.max(middle, left + half(words)), from, to };
  };
  const found: (PlacedWords & { from: number; to: number })[] = [];
  for (const { x, words } of marks) {
    let next = placed(x, x, words);
    let last = found.at(-1);
    while (last && last.x + half(last.words) + BETWEEN > next.x - half(next.words)) {
      next = placed(last.from, next.to, `${last.words}, ${next.words}`);
      found.pop();
      last = found.at(-1);
    }
    found.push(next);
  }
  return found.map(({ words, x }) => ({ words, x }));
}

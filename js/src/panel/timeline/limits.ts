// The ends that lie ahead of a session, as times on the axis.
import { t } from "#shared/translation";
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
    found.push({ at: timeout.ends_at, words: t`timeout` });
  if (maximum?.running && maximum.ends_at !== null)
    found.push({ at: maximum.ends_at, words: t`maximum time` });
  const { budget_seconds: budget, mode, state } = snapshot;
  // only an active session spends a second of it each second
  if (budget !== null && mode === "dedicated" && state === "active")
    found.push({ at: now + budget - usage(snapshot, now).total, words: t`budget` });
  return found.filter(({ at }) => at > now).sort((a, b) => a.at - b.at);
}

export interface PlacedWords {
  words: string;
  /** Their middle, in pixels; at an edge the end that is there. */
  x: number;
  anchor: "start" | "middle" | "end";
}

const LETTER = 6.3;
const BETWEEN = 8;

/** The words at limits, in pixels from `left` to `right`: each below its own line, those without room for both together. */
export function placeWords(
  marks: { x: number; words: string }[],
  left: number,
  right: number,
  scale: number,
): PlacedWords[] {
  const length = (words: string) => words.length * LETTER * scale;
  const placed = (from: number, to: number, words: string) => {
    const wanted = (from + to - length(words)) / 2;
    const begin = Math.max(left, Math.min(wanted, right - length(words)));
    return { words, begin, end: begin + length(words), wanted, from, to };
  };
  const found: ReturnType<typeof placed>[] = [];
  for (const { x, words } of marks) {
    let next = placed(x, x, words);
    let last = found.at(-1);
    while (last && last.end + BETWEEN > next.begin) {
      next = placed(last.from, next.to, `${last.words}, ${next.words}`);
      found.pop();
      last = found.at(-1);
    }
    found.push(next);
  }
  return found.map(({ words, begin, end, wanted }) => {
    if (begin < wanted) return { words, x: right, anchor: "end" };
    if (begin > wanted) return { words, x: left, anchor: "start" };
    return { words, x: (begin + end) / 2, anchor: "middle" };
  });
}

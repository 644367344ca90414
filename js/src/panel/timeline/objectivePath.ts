// The objective as paths of an SVG: values with their errors, and the best so far as a step line. At most a few hundred
// marks, however many points there are: beyond that, each pixel has its lowest, its highest and its last one.
import { isBetter, type Goal } from "#shared/objective";
import type { SeriesPoint } from "#shared/snapshot.gen";
import type { Range } from "./jobSpans";

/** A value in sight, and where it is. */
export interface Mark {
  point: SeriesPoint;
  x: number;
  y: number;
}

export interface ObjectivePath {
  marks: Mark[];
  values: string;
  errors: string;
  /** Ends at the last value; the best still holds after it. */
  best: string;
  ticks: { y: number; text: string }[];
  /** Whether points were left out. */
  many: boolean;
}

export const MOST_MARKS = 400;
const PAD = 7;

export function objectivePath(
  points: readonly SeriesPoint[],
  goal: Goal,
  range: Range,
  width: number,
  height: number,
): ObjectivePath | null {
  const left = (time: number) => ((time - range[0]) / (range[1] - range[0])) * width;
  const seen: SeriesPoint[] = [];
  /** Where the best so far changes: the time, and the value from then on. */
  const steps: [time: number, value: number][] = [];
  let before: number | null = null;
  for (const point of points) {
    const last: number | null = steps[steps.length - 1]?.[1] ?? before;
    const better = last === null || isBetter(point.value, last, goal);
    if (point.time < range[0]) {
      if (better) before = point.value;
      continue;
    }
    if (point.time > range[1]) continue;
    seen.push(point);
    if (better) steps.push([point.time, point.value]);
  }
  if (seen.length === 0) return null;
  const single = seen.length <= MOST_MARKS;
  const chosen = single ? seen : thinned(seen, left);
  const ends = chosen.flatMap(({ value, error }) => [
    value - (single ? (error ?? 0) : 0),
    value + (single ? (error ?? 0) : 0),
  ]);
  if (before !== null) ends.push(before);
  const [low, high] = widened(Math.min(...ends), Math.max(...ends));
  const top = (value: number) => PAD + ((high - value) / (high - low)) * (height - 2 * PAD);
  const at = (value: number) => value.toFixed(1);
  const marks = chosen.map((point) => ({ point, x: left(point.time), y: top(point.value) }));
  const errors = marks
    .filter(({ point }) => single && point.error)
    .map(({ point: { value, error }, x }) => {
      return `M${at(x)} ${at(top(value - error!))}V${at(top(value + error!))}`;
    });
  const first = before === null ? [] : [`M0 ${at(top(before))}`];
  const best = steps.map(([time, value], i) => {
    const [x, y] = [at(left(time)), at(top(value))];
    return i === 0 && before === null ? `M${x} ${y}` : `H${x}V${y}`;
  });
  return {
    marks,
    values: marks.map(({ x, y }) => `M${at(x)} ${at(y)}h0`).join(""),
    errors: errors.join(""),
    best: [...first, ...best].join(""),
    many: !single,
    ticks: ticks(low, high).map((value) => ({ y: top(value), text: label(value, high - low) })),
  };
}

/** Of each pixel the lowest, the highest and the last value, in the order of time. */
function thinned(points: SeriesPoint[], left: (time: number) => number): SeriesPoint[] {
  const kept = new Set<SeriesPoint>();
  let [column, lowest, highest, last] = [-1, points[0]!, points[0]!, points[0]!];
  const keep = () => [lowest, highest, last].forEach((point) => kept.add(point));
  for (const point of points) {
    const at = Math.floor(left(point.time));
    if (at !== column) {
      keep();
      [column, lowest, highest] = [at, point, point];
    }
    if (point.value < lowest.value) lowest = point;
    if (point.value > highest.value) highest = point;
    last = point;
  }
  keep();
  return [...kept].sort((a, b) => a.time - b.time);
}

function widened(low: number, high: number): [number, number] {
  const room = high > low ? 0 : Math.abs(low) / 20 || 1;
  return [low - room, high + room];
}

/** Two to five round numbers between two others. */
export function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
  const found: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(i * step);
  return found;
}

function label(value: number, span: number): string {
  const decimals = 2 - Math.floor(Math.log10(span));
  if (Math.abs(value) >= 1e6 || decimals > 6) return value.toExponential(1);
  return String(Number(value.toFixed(Math.max(0, decimals))));
}

// Series of values with their latest and best, the same as in qsession_widgets/model/objective.py. tests/vectors/series.json
// holds the cases both are tested with.
import type { SeriesPoint } from "./snapshot.gen";

export type Goal = "minimum" | "maximum";

/** One series; its points are only ever appended. */
export class Series {
  readonly points: SeriesPoint[] = [];
  /** True if any value has an error: the best of noisy values is expected to lie beyond the best of the true ones. */
  noisy = false;
  readonly #best: Partial<Record<Goal, SeriesPoint>> = {};
  readonly #byJob = new Map<string, SeriesPoint>();

  constructor(readonly name: string) {}

  add(point: SeriesPoint): void {
    this.points.push(point);
    this.noisy ||= !!point.error;
    for (const goal of ["minimum", "maximum"] as const) {
      const best = this.#best[goal];
      if (!best || isBetter(point.value, best.value, goal)) this.#best[goal] = point;
    }
    if (point.job_id !== null) this.#byJob.set(point.job_id, point);
  }

  get latest(): SeriesPoint {
    return this.points[this.points.length - 1]!;
  }

  /** The first of the points with the lowest, or the highest, value. */
  best(goal: Goal): SeriesPoint {
    return this.#best[goal]!;
  }

  /** The last point that belongs to a job. */
  ofJob(id: string): SeriesPoint | undefined {
    return this.#byJob.get(id);
  }
}

export function isBetter(value: number, than: number, goal: Goal): boolean {
  return goal === "minimum" ? value < than : value > than;
}

/** Steps, the last ones, in which a series must change for not having nearly stopped. */
export const WINDOW = 8;
/** Steps of a series before that is judged. */
const LEAST = 12;
/** Share of a series' average pace below which it has nearly stopped. */
const SLOW = 0.1;

/** The number of values in the last steps, the change between their halves, and its standard error. */
export interface Stall {
  values: number;
  change: number;
  noise: number;
  /** Whether the change is small beside the series' pace; if not, noise alone may hide that it goes on. */
  slow: boolean;
}

/** Whether a series has nearly stopped; null where not, or where it is too early to say. */
export function stalled(points: readonly SeriesPoint[]): Stall | null {
  const steps = toSteps(points);
  if (steps.length < LEAST) return null;
  const half = WINDOW / 2;
  const window = steps.slice(-WINDOW);
  const means = window.map(mean);
  const [early, late] = [means.slice(0, half), means.slice(half)];
  const [before, after] = [sum(early) / half, sum(late) / half];
  const change = after - before;
  const scatter =
    sum(early.map((value) => (value - before) ** 2)) + sum(late.map((v) => (v - after) ** 2));
  const known = sum(
    window.map((step) => sum(step.map(({ error }) => (error ?? 0) ** 2)) / step.length ** 2),
  );
  const noise = Math.sqrt(Math.max(scatter / (half - 1) / half, known / half ** 2));
  const pace = (Math.abs(after - mean(steps[0]!)) / (steps.length - 1)) * half;
  if (Math.abs(change) > Math.max(noise, SLOW * pace)) return null;
  const slow = Math.abs(change) <= SLOW * pace;
  return { values: sum(window.map((step) => step.length)), change, noise, slow };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (step: readonly SeriesPoint[]) => sum(step.map(({ value }) => value)) / step.length;

/** Values with one step number, or else two in a row, such as a pair of evaluations for a gradient. */
function toSteps(points: readonly SeriesPoint[]): SeriesPoint[][] {
  const steps: SeriesPoint[][] = [];
  for (const point of points) {
    const last = steps[steps.length - 1];
    if (last && last[0]!.step === point.step && (point.step !== null || last.length < 2))
      last.push(point);
    else steps.push([point]);
  }
  const last = steps[steps.length - 1];
  // the other one of the pair is still to come
  if (last && last[0]!.step === null && last.length < 2) steps.pop();
  return steps;
}

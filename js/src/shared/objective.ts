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

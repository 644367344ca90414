// The values of series that the kernel has read or logged, as its messages bring them.
import { Series } from "#shared/objective";
import { READ_SERIES, type SeriesPoint } from "#shared/snapshot.gen";

/** `[series, value, time, job, error, step]`, trailing blanks left off: numbers of the series and of the job's row. */
export type PointRow = [number, number, number, ...(number | null)[]];
/** The number of points before these, the names of all series or none where they are known, and a row for each point. */
export type PointsPart = [first: number, names: string[], ...rows: PointRow[]];

export class SeriesLog {
  all: Series[] = [];
  /** Points of all series. */
  count = 0;

  /** Take over the points of a message; false if points before them are missing. */
  take(
    [first, names, ...rows]: PointsPart,
    epoch: number,
    jobAt: (row: number) => string | null,
  ): boolean {
    if (first > this.count) return false;
    if (first === 0) {
      this.all = [];
      this.count = 0;
    }
    while (this.all.length < names.length) this.all.push(new Series(names[this.all.length]!));
    for (const row of rows.slice(this.count - first)) {
      const [series, value, time, job = null, error = null, step = null] = row;
      const point: SeriesPoint = {
        series: this.all[series]!.name,
        value,
        time: epoch + time / 1000,
        error,
        step,
        job_id: job === null ? null : jobAt(job),
      };
      this.all[series]!.add(point);
      this.count += 1;
    }
    return true;
  }

  /** The series of that name; without one the first that the user logs, or else the values read from results. */
  shown(name: string | null): Series | null {
    const chosen = this.all.find((each) => each.name === name);
    return chosen ?? this.all.find((each) => each.name !== READ_SERIES) ?? this.all[0] ?? null;
  }

  /** The value of a job's result, or what was logged of the shown series when it was the latest. */
  ofJob(id: string, shown: Series | null): SeriesPoint | undefined {
    const read = this.all.find((each) => each.name === READ_SERIES);
    return read?.ofJob(id) ?? shown?.ofJob(id);
  }
}

import { expect, test } from "vitest";
import vectors from "../../tests/vectors/series.json" with { type: "json" };
import { stallAdvice } from "#shared/messages/objective";
import { Series, stalled } from "#shared/objective";
import { MOST_MARKS, objectivePath, ticks } from "../src/panel/timeline/objectivePath";
import { SeriesLog, type PointsPart } from "../src/panel/state/series";
import type { JobRecord, SeriesPoint, SessionSnapshot } from "#shared/snapshot.gen";

const point = (time: number, value: number, error: number | null = null): SeriesPoint => {
  return { series: "energy", value, time, error, step: null, job_id: null };
};
const ends = (path: string) => path.replace(/^M/, "").split(/H|V| /).map(Number);

test("the best so far is a step line that never rises, and falls where a better value comes", () => {
  const points = [point(0, 3), point(2, 4), point(4, 1), point(8, 2)];
  const path = objectivePath(points, "minimum", [0, 10], 100, 94)!;
  const [three, one] = [path.marks[0]!.y, path.marks[2]!.y];
  expect(ends(path.best)).toEqual([0, three, 40, one].map((value) => expect.closeTo(value, 1)));
  expect(path.marks.map(({ x }) => x)).toEqual([0, 20, 40, 80]);
  const highest = objectivePath(points, "maximum", [0, 10], 100, 94)!;
  expect(ends(highest.best)).toHaveLength(4);
});

test("what was best before the part in sight is the line's beginning", () => {
  const path = objectivePath([point(0, 1), point(6, 5)], "minimum", [5, 10], 100, 94)!;
  expect(path.marks).toHaveLength(1);
  expect(path.best).toBe("M0 87.0");
  expect(objectivePath([point(0, 1)], "minimum", [5, 10], 100, 94)).toBeNull();
});

test("ten thousand values become marks by the pixel, and none of the extremes is lost", () => {
  const points = Array.from({ length: 10_000 }, (_, i) => point(i, Math.sin(i / 50), 0.1));
  points[5003] = point(5003, -9);
  const path = objectivePath(points, "minimum", [0, 10_000], 300, 94)!;
  expect(path.marks.length).toBeLessThanOrEqual(3 * 301);
  expect(path.marks.some(({ point: { value } }) => value === -9)).toBe(true);
  expect(path.errors).toBe("");
  expect(objectivePath(points.slice(0, MOST_MARKS), "minimum", [0, 400], 300, 94)!.errors).not.toBe(
    "",
  );
});

test("axis labels are round numbers in sight", () => {
  expect(ticks(-4.4, -0.6)).toEqual([-4, -3, -2, -1]);
  for (const [low, high] of [
    [0, 1e-9],
    [-3, 1e7],
    [0.99, 1.01],
  ] as const) {
    const found = ticks(low, high);
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(found.every((value) => value >= low && value <= high)).toBe(true);
  }
});

test("values that come twice are taken once, and a gap is noticed", () => {
  const log = new SeriesLog();
  const rows: PointsPart = [0, ["energy", "cost"], [0, -1, 1000, 3, 0.02], [1, 7, 1500]];
  const jobAt = (row: number) => `job-${row}`;
  expect(log.take(rows, 100, jobAt)).toBe(true);
  expect(log.take([1, [], [1, 7, 1500], [0, -2, 2000, 4]], 100, jobAt)).toBe(true);
  expect(log.take([5, ["energy", "cost"], [0, -9, 9000]], 100, jobAt)).toBe(false);
  expect(log.all.map(({ points }) => points.map(({ value }) => value))).toEqual([[-1, -2], [7]]);
  expect(log.all[0]!.points[0]).toEqual({
    series: "energy",
    value: -1,
    time: 101,
    error: 0.02,
    step: null,
    job_id: "job-3",
  });
  expect(log.shown(null)!.name).toBe("energy");
  expect(log.shown("cost")!.name).toBe("cost");
  expect(log.ofJob("job-4", log.all[0]!)!.value).toBe(-2);
});

const stallPoints = ({ values, error, steps }: (typeof vectors.stalls)[number]): SeriesPoint[] =>
  values.map((value, i) => ({
    ...point(i, value, error),
    step: steps === null ? null : Math.floor(i / steps),
  }));

test.each(vectors.stalls)("$name", (each) => {
  const { expect: found } = each;
  const close = found && {
    ...found,
    change: expect.closeTo(found.change, 9),
    noise: expect.closeTo(found.noise, 9),
  };
  expect(stalled(stallPoints(each))).toEqual(close);
});

test("nearly stopped, with the price of a further job, while the session takes jobs", () => {
  const series = new Series("energy");
  stallPoints(vectors.stalls.find(({ error }) => error === 1)!).forEach((each) => series.add(each));
  const job = (started: number) =>
    ({ status: "done", started, finished: started + 2, stray: false, reused: false }) as JobRecord;
  const snapshot = {
    state: "active",
    mode: "dedicated",
    accepting_jobs: true,
    interactive_ttl: 60,
    device_time: null,
    jobs: [job(0), job(3), job(6), job(500)],
    service: { price_per_second: 1.6, charged: true },
  } as unknown as SessionSnapshot;
  expect(stallAdvice(series, snapshot)).toBe(
    "“energy” has nearly stopped: each further job costs ≈ $4.80. Its last 8 steps (16 values) " +
      "changed it by 0.25 ± 0.50.",
  );
  expect(stallAdvice(series, { ...snapshot, state: "closed" })).toBe("");
  const hidden = new Series("cost");
  stallPoints(vectors.stalls.find(({ expect: found }) => found && !found.slow)!).forEach((each) =>
    hidden.add(each),
  );
  expect(stallAdvice(hidden, snapshot)).toBe(
    "“cost” may stand still or go on: its last 8 steps (8 values) changed it by 0.060 ± 0.071, no more than its noise.",
  );
  expect(stallAdvice(series, { ...snapshot, mode: "batch" })).toContain("stopped. Its");
  stallPoints({ ...vectors.stalls[0]! }).forEach((each) => series.add(each));
  expect(stallAdvice(series, snapshot)).toBe("");
});

import { describe, expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";
import { Columns, SINGLE_BARS, toBars, type Block } from "../src/panel/timeline/bins";
import type { ChartScale } from "../src/panel/timeline/scale";
import { placeWords } from "../src/panel/timeline/limits";
import { idleGaps } from "../src/panel/timeline/traces";

const blocks = (count: number, weight = (_: number) => 1): Block[] =>
  Array.from({ length: count }, (_, i) => ({
    begin: i,
    end: i + 0.5,
    weight: weight(i),
    index: i,
  }));

test("while there is room every block is its own bar, wide enough to be seen", () => {
  const bars = toBars(blocks(10), 0, 1000, 100);
  expect(bars.map((bar) => bar.index)).toEqual([...Array(10).keys()]);
  expect(bars.every((bar) => bar.end - bar.begin >= 20)).toBe(true);
});

test("only what is in sight is drawn", () => {
  expect(toBars(blocks(100), 40, 49.9, 500).map((bar) => bar.index)).toEqual([
    40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
  ]);
});

test.each([1000, 10_000, 100_000])("%i blocks need no more bars than pixels", (count) => {
  const bars = toBars(blocks(count), 0, count, 900);
  expect(bars.length).toBeLessThanOrEqual(900);
  expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(count);
});

test("none of the heavy ones is lost among many", () => {
  const heavy = new Set([17, 5000, 9999]);
  const bars = toBars(
    blocks(10_000, (i) => (heavy.has(i) ? 4 : 1)),
    0,
    10_000,
    900,
  );
  expect(bars.filter((bar) => bar.weight === 4)).toHaveLength(3);
});

test("bars never overlap, and stay in order", () => {
  const bars = toBars(
    blocks(SINGLE_BARS + 1, (i) => 1 + (i % 3)),
    0,
    SINGLE_BARS + 1,
    200,
  );
  for (let i = 1; i < bars.length; i++) {
    expect(bars[i]!.begin).toBeGreaterThanOrEqual(bars[i - 1]!.end - 1e-9);
  }
});

test("columns that lose what they were given show what is left", () => {
  const kept = blocks(500, (i) => 1 + (i % 3));
  const passing = blocks(40, () => 4).map((block) => ({ ...block, begin: block.begin * 12.3 }));
  const [both, alone] = [new Columns(0, 500, 300), new Columns(0, 500, 300)];
  for (const block of kept) alone.put(block, 1);
  for (const block of [...kept, ...passing]) both.put(block, 1);
  expect(both.bars()).not.toEqual(alone.bars());
  for (const block of passing) both.put(block, -1);
  expect(both.bars()).toEqual(alone.bars());
});

test("one more block of the same kind in a pixel is nothing to draw", () => {
  const columns = new Columns(0, 100, 100);
  columns.put({ begin: 50.1, end: 50.2, weight: 1, index: 0 }, 1);
  const { version } = columns;
  columns.put({ begin: 50.3, end: 50.4, weight: 1, index: 1 }, 1);
  expect(columns.version).toBe(version);
  columns.put({ begin: 50.5, end: 50.6, weight: 4, index: 2 }, 1);
  expect(columns.version).not.toBe(version);
});

describe("the gaps of a loop", () => {
  const job = (fields: object) => ({ ...vectors.default_job, ...fields }) as JobRecord;
  // runs of 10 s with gaps of nearly 5 s between them, and one long one
  const jobs: JobRecord[] = [];
  for (let i = 0, at = 1000; i < 20; i++) {
    jobs.push(job({ id: `j${i}`, created: at, started: at, finished: at + 10 }));
    at += i === 9 ? 60 : 14.7 + (i % 5) / 10;
  }
  const snapshot = { ...vectors.default_snapshot, jobs } as unknown as SessionSnapshot;
  const shown = (pixelsPerSecond: number) => {
    const frame = { pixels: (seconds: number) => seconds * pixelsPerSecond } as ChartScale;
    return idleGaps({ snapshot, frame }, [[1000, jobs.at(-1)!.finished!]]).length;
  };

  test.each([0.5, 1, 1.9, 1.95, 2, 2.05, 2.1, 3, 5, 5.3, 10])(
    "are drawn all or not at all, at %f pixels a second",
    (pixelsPerSecond) => {
      expect(shown(pixelsPerSecond)).toBe(pixelsPerSecond <= 2 ? 1 : 19);
    },
  );
});

test("words at limits stand below their lines, inside of the picture, and cover no others", () => {
  const marks = [
    { x: 200, words: "timeout" },
    { x: 230, words: "budget" },
    { x: 340, words: "maximum time" },
  ];
  const spread = placeWords(marks, 60, 900, 1).map(({ words, x }) => [words, Math.round(x)]);
  expect(spread).toEqual([
    ["timeout, budget", 215],
    ["maximum time", 340],
  ]);
  // at the edge all of them are moved, and those that then meet are one
  expect(placeWords(marks, 60, 330, 1)).toEqual([
    { words: "timeout, budget, maximum time", x: 330, anchor: "end" },
  ]);
  expect(placeWords([], 60, 302, 1)).toEqual([]);
});

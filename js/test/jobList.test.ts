import { expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import { hiddenWords, inBrief, Listing } from "../src/panel/state/jobList";
import { wrapped } from "../src/panel/state/jobTimes";
import type { JobRecord, JobStatus } from "#shared/snapshot.gen";

/** Jobs named by their state and number, in the order of their creation. */
const jobs = (...statuses: JobStatus[]) =>
  statuses.map((status, i) => {
    return {
      ...vectors.default_job,
      id: `${status[0]}${i}`,
      status,
      created: 1e9 + i,
    } as JobRecord;
  });
const ids = (shown: readonly JobRecord[]) => shown.map(({ id }) => id).join(" ");

test.each([
  [["done", "done", "done", "done", "done"], "d4 d3 d2 d1", "1 done"],
  [["done", "done", "running", "queued", "queued"], "r2 q3 d1 d0", "1 queued"],
  [["done", "queued", "queued", "queued", "queued"], "q1 q2 q3 d0", "1 queued"],
  [["running", "running", "running", "queued", "done"], "r0 r1 q3 d4", "1 running"],
  [["running", "running", "running", "queued", "queued"], "r0 r1 r2 q3", "1 queued"],
  [["failed", "done", "done", "running", "done", "cancelled"], "r3 c5 d4 d2", "1 done, 1 failed"],
  [["queued"], "q0", ""],
] as [JobStatus[], string, string][])("of %s the first rows are %s", (statuses, rows, hidden) => {
  const all = jobs(...statuses);
  const shown = inBrief(all, 4);
  expect(ids(shown)).toBe(rows);
  expect(hiddenWords(all, shown)).toBe(hidden);
});

test("the whole list begins with what runs and what is next in the queue", () => {
  const all = jobs("done", "queued", "done", "running", "queued", "failed");
  const listed = new Listing().list(all, { filter: "all", key: "turn", up: false }, 2e9);
  expect(ids(listed)).toBe("r3 q1 q4 f5 d2 d0");
});

test("a long error is told in a few short lines", () => {
  expect(wrapped("Too short to break.")).toEqual(["Too short to break."]);
  const lines = wrapped(`${"word ".repeat(200)}${"x".repeat(500)}`);
  expect(lines).toHaveLength(4);
  expect(wrapped("x".repeat(200))).toHaveLength(3);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(72);
  expect(lines[3]!.endsWith(" …")).toBe(true);
});

import { describe, expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import { advice } from "#shared/suggestions";
import { smoothedPhase, hasRun, isIdle } from "#shared/idleSmoothing";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";

const ENDED = 1982;
const job = (fields: Partial<JobRecord>) => ({ ...vectors.default_job, ...fields }) as JobRecord;
const session = (fields: Partial<SessionSnapshot>) =>
  ({ ...vectors.default_snapshot, ...fields }) as unknown as SessionSnapshot;
const between = session({
  state: "active",
  started_at: 1901,
  last_job_completed: ENDED,
  interactive_ttl: 60,
  active_periods: [[1901, null]],
  jobs: [job({ id: "a", status: "done", created: 1900, started: 1901, finished: ENDED })],
});

describe("between two jobs", () => {
  test.each([
    ["active", ENDED + 1],
    ["idle", ENDED + 3],
    ["idle", ENDED + 90],
  ])("a session is called %s", (phase, now) => {
    expect(smoothedPhase(between, now)).toBe(phase);
    expect(isIdle(between, now)).toBe(phase !== "active");
  });

  test("one whose timeout is shorter than a moment is idle when it has passed", () => {
    const short = { ...between, interactive_ttl: 1 };
    expect(smoothedPhase(short, ENDED + 0.5)).toBe("active");
    expect(smoothedPhase(short, ENDED + 1)).toBe("idle");
  });

  test("one that has no timeout is called what it is", () => {
    expect(smoothedPhase({ ...between, interactive_ttl: null }, ENDED)).toBe("idle");
  });
});

test("while the first job waits, it is said that this costs nothing", () => {
  const waiting = session({ state: "open", jobs: [job({ status: "queued" })] });
  expect(advice(waiting, 2000)).toBe("Nothing is billed before the first job runs.");
});

test.each([
  [null, false],
  [{ total: 60, remaining: 60, running: false, ends_at: null }, false],
  [{ total: 60, remaining: 58, running: true, ends_at: 2000 }, false],
  [{ total: 60, remaining: 57, running: true, ends_at: 2000 }, true],
  [{ total: 1, remaining: 0, running: true, ends_at: 2000 }, true],
])("a countdown that has run for a while (%#)", (countdown, whether) => {
  expect(hasRun(countdown)).toBe(whether);
});

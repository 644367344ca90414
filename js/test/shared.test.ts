import { details } from "../src/panel/state/jobTimes";
import { usageWords } from "#shared/messages/labels";
import { describe, expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import figures from "../../tests/vectors/formatting.json" with { type: "json" };
import { advice, gaps } from "#shared/suggestions";
import { ServiceClock } from "#shared/clock";
import { consequences } from "#shared/consequences";
import {
  dollarsOf,
  formatCountdown,
  formatDuration,
  formatMoney,
  formatParts,
  formatPrice,
  formatShares,
  formatValue,
  formatZone,
  shortId,
} from "#shared/formatting";
import { Series } from "#shared/objective";
import series from "../../tests/vectors/series.json" with { type: "json" };
import type { JobRecord, SeriesPoint, SessionSnapshot } from "#shared/snapshot.gen";
import { continueSums, sumsOf } from "#shared/jobAggregates";

const job = (fields: Partial<JobRecord>) => ({ ...vectors.default_job, ...fields }) as JobRecord;
const session = (jobs: JobRecord[], fields: object = {}) =>
  ({ ...vectors.default_snapshot, ...fields, jobs }) as unknown as SessionSnapshot;

describe("figures as people read them", () => {
  const spell: Record<string, (...given: never[]) => unknown> = {
    countdown: formatCountdown,
    duration: formatDuration,
    money: formatMoney,
    price: formatPrice,
    parts: formatParts,
    shares: formatShares,
    value: formatValue,
    dollars: (seconds: number | null, price: number | null, final: boolean) => {
      const dollars = dollarsOf(seconds, price, final);
      return dollars === null ? null : formatMoney(dollars);
    },
    zone: formatZone,
  };
  test.each(Object.keys(figures))("%s is spelled as Python spells it", (name) => {
    for (const [...given] of figures[name as keyof typeof figures]) {
      const shown = given.pop();
      expect([given, spell[name]!(...(given as never[]))]).toEqual([given, shown]);
    }
  });
  test("ids are shortened only when that makes them shorter", () => {
    expect(shortId("7b695108-3f0e-4c55-9d2c-6a1f0b22f50a")).toBe("7b695108…f50a");
    expect(shortId("1234567890123")).toBe("1234567890123");
  });
});

describe("the service's clock", () => {
  const at = (start: number) => {
    let local = start;
    return { now: () => local, pass: (seconds: number) => (local += 1000 * seconds) };
  };
  test("runs from the estimate, then from the message", () => {
    const here = at(0);
    const clock = new ServiceClock(5000, 1, here.now);
    here.pass(10);
    expect(clock.now()).toBeCloseTo(5010);
    clock.anchor(8610, 1);
    here.pass(2);
    expect(clock.now()).toBeCloseTo(8612);
  });
  test("a held-up message does not turn it back, a real change does", () => {
    const here = at(0);
    const clock = new ServiceClock(0, 1, here.now);
    clock.anchor(1000, 1);
    here.pass(10);
    clock.anchor(1004, 1);
    expect(clock.now()).toBeCloseTo(1010);
    clock.anchor(500, 1);
    expect(clock.now()).toBeCloseTo(500);
  });
  test("a sped-up service", () => {
    const here = at(0);
    const clock = new ServiceClock(0, 60, here.now);
    clock.anchor(1000, 60);
    here.pass(2);
    expect(clock.now()).toBeCloseTo(1120);
  });
});

describe("consequences", () => {
  const running = job({ status: "running", started: 1100 });
  const queued = job({ status: "queued" });
  test.each([
    [
      [],
      "no job is pending: it ends now, and accepts no more jobs",
      "no job is pending: the same as closing",
    ],
    [[running], "lets 1 running job finish", "nothing is queued; 1 running job finishes"],
    [[queued, queued], "lets 2 queued jobs finish", "cancels 2 queued jobs"],
    [
      [running, queued],
      "lets 1 running and 1 queued job finish",
      "cancels 1 queued job; 1 running job finishes",
    ],
  ])("of %#", (jobs, close, cancel) => {
    expect(consequences(session(jobs))).toMatchObject({ close, cancel });
  });
  test("a stray job is nobody's to lose", () => {
    expect(consequences(session([job({ status: "queued", stray: true })])).cost).toBe(0);
  });
});

describe("advice", () => {
  // runs of 10 s, each submitted `gap` seconds after the one before
  const loop = (gapLengths: number[]) => {
    let at = 1100;
    return [0, ...gapLengths].map((gap, i) => {
      const started = at + gap;
      at = started + 10;
      return job({ id: `j${i}`, created: started, started, finished: at, qpu_seconds: 2 });
    });
  };
  test("gaps run from the end of a run to the next submission", () => {
    const jobs = [
      job({ id: "a", created: 1090, started: 1100, finished: 1110 }),
      job({ id: "b", created: 1113, started: 1120, finished: 1130 }),
      job({ id: "c", created: 1125, started: 1140, finished: 1150 }),
    ];
    const found = gaps(session(jobs, { active_periods: [[1100, null]] }));
    expect(found).toEqual([{ begin: 1110, end: 1113, deactivated: false }]);
  });
  test("names the gap that cost a trip through the queue", () => {
    const jobs = loop([4, 4, 80, 4]);
    const lost = jobs[2]!.finished! + 60;
    const snapshot = session([...jobs, job({ id: "now", status: "queued", created: 1300 })], {
      active_periods: [
        [1100, lost],
        [jobs[3]!.started, null],
      ],
    });
    expect(advice(snapshot, 1300)).toBe(
      "Median gap between jobs 4.0 s, well inside the 1 m 0 s interactive timeout. " +
        "One gap of 1 m 20 s cost a second trip through the queue. " +
        "The costliest gap was billed for 1 m 0 s (≈ $96.00).",
    );
  });
  test("the time of a simulation is no device's", () => {
    const ran = job({
      id: "a",
      program: "sampler",
      started: 1100,
      finished: 1100.083,
      qpu_seconds: 3.4,
      shots: null,
      precision: null,
      label: "",
      top_counts: [],
    });
    expect(details(ran, 1120)).toContain("simulated in 83 ms");
    expect(details({ ...ran, finished: 1104 }, 1120)).toContain("ran 4.0 s");
  });
  test("usage of a batch of which no QPU time was told is not said to be none", () => {
    const jobs = [
      job({ id: "a", created: 1090, started: 1100, finished: 1110, qpu_seconds: null }),
    ];
    const batch = session(jobs, { mode: "batch", active_periods: [[1100, null]] });
    expect(usageWords(batch, 1120)).toBe("not told");
  });
  test("names the time after the last job, until the timeout", () => {
    const jobs = loop([4, 4]);
    jobs[2]!.cell = 7;
    const end = jobs[2]!.finished!;
    const fields = { state: "closed", closed_at: end + 90, usage_final: true } as const;
    const said = (some: typeof jobs) =>
      advice(session(some, { ...fields, active_periods: [[1100, end + 60]] }), end + 100);
    const last = "after the last job, of cell [7], 1 m 0 s (≈ $96.00) were billed.";
    expect(said(jobs)).toContain(`Median gap 4.0 s; ${last}`);
    expect(said(jobs.slice(2))).toMatch(/^The costliest gap, after the last job, of cell \[7\]/);
    const waited = job({ id: "w", status: "cancelled", created: end - 1, finished: end + 60 });
    expect(said([...jobs, waited])).not.toContain("after the last job");
  });
  test("names the gap that cost most, and its cell", () => {
    const jobs = loop([...Array<number>(20).fill(0.066), 10]);
    jobs[21]!.cell = 7;
    const fields = { active_periods: [[1100, null]] };
    const said =
      /inside .* The costliest gap, before a job of cell \[7\], was billed for 10 s \(≈ \$16\.00\)\./;
    expect(advice(session(jobs, { ...fields, state: "closed" }), 1300)).toMatch(said);
    jobs[21]!.cell = null;
    const free = { ...vectors.default_snapshot.service, charged: false };
    expect(
      advice(session([...jobs], { ...fields, state: "closed", service: free }), 1300),
    ).toContain("The costliest gap would be billed for 10 s");
  });
  test("a moment without a job between two of a loop is no reason to close", () => {
    const jobs = loop([4, 4, 4]);
    const last = jobs.at(-1)!.finished!;
    const snapshot = session(jobs, {
      active_periods: [[1100, null]],
      last_job_completed: last,
    });
    expect(advice(snapshot, last + 1)).toMatch(/^Median gap between jobs 4.0 s/);
    expect(advice(snapshot, last + 7)).toMatch(/^Close now/);
  });
  test.each([0, 1])("nor is the moment after the first %i", (more) => {
    const jobs = loop(Array(more).fill(4));
    const last = jobs.at(-1)!.finished!;
    const snapshot = session(jobs, { active_periods: [[1100, null]], last_job_completed: last });
    expect(advice(snapshot, last + 0.5)).toBe("");
    expect(advice(snapshot, last + 7)).toMatch(/^Close now/);
  });
  test("nor a gap as long as the others, up to half of the timeout", () => {
    const slow = (gap: number) => {
      const jobs = loop([gap, gap, gap]);
      const last = jobs.at(-1)!.finished!;
      const fields = { active_periods: [[1100, null]], last_job_completed: last };
      return (idle: number) => advice(session(jobs, fields), last + idle);
    };
    expect(slow(12)(13)).toMatch(/^Median gap/);
    expect(slow(12)(19)).toMatch(/^Close now/);
    expect(slow(50)(31)).toMatch(/^Close now/);
  });
  test("nobody is told to close what cannot be closed", () => {
    const jobs = loop([4, 4]);
    const idle = session(jobs, { active_periods: [[1100, null]], last_job_completed: 1140 });
    expect(advice(idle, 1188, false)).toMatch(/^Median gap/);
    const off = { ...idle, state: "inactive" } as const;
    expect(advice(off, 1300, false)).toBe("Deactivated time is free. The next job queues again.");
    expect(advice(off, 1300)).toMatch(/Close the session if you are done/);
  });
  test("waiting in the queue again is free, too", () => {
    const queued = job({ id: "now", status: "queued", created: 1300 });
    const again = session([...loop([4]), queued], { state: "inactive", backend: "ibm_fez" });
    expect(advice(again, 1310)).toBe("Nothing is billed until the next job runs.");
    expect(advice({ ...again, queue_length: 3 }, 1310)).toMatch(
      /^2 jobs ahead of yours in the queue of ibm_fez. No/,
    );
    const created = again.jobs.find((each) => each.status === "queued")!.created;
    const told = { ...again, queue_length: 3, queue_wait: 45 };
    expect(advice(told, created + 5)).toContain("ibm_fez, about 40 s. Nothing");
    expect(advice(told, created + 50)).toContain("ibm_fez. Nothing");
    expect(advice({ ...told, queue_length: 1 }, 1310)).toContain("No job is ahead of yours");
  });
  test("while idle it says what waiting adds", () => {
    const idle = { active_periods: [[1100, null]], last_job_completed: 1140 };
    const snapshot = session(loop([4, 4]), idle);
    expect(advice(snapshot, 1188)).toBe(
      "Close now: nothing is pending. Waiting until the timeout adds 12 s of usage, ≈ $19.20.",
    );
  });
  test("says when a batch would have been cheaper, only for a session", () => {
    const over = {
      state: "closed",
      closed_at: 1400,
      active_periods: [[1100, 1400]],
      usage_seconds: 300,
      usage_final: true,
    };
    expect(advice(session(loop([4, 4, 4]), over), 2000)).toContain(
      "8.0 s (≈ $12.80) instead of 5 m 0 s",
    );
    expect(advice(session(loop([4, 4, 4]), { ...over, mode: "batch" }), 2000)).not.toContain(
      "batch",
    );
  });
});

describe("sums of jobs", () => {
  // a small generator of numbers, so that a failure can be repeated
  const numbers = (seed: number) => () => (seed = (seed * 16807) % 2147483647) / 2147483647;

  test.each([1, 2, 3, 4, 5])(
    "taken over from the list before are those found anew (%i)",
    (seed) => {
      const random = numbers(seed * 7919);
      const statuses = ["queued", "running", "done", "cancelled", "failed"] as const;
      let jobs: JobRecord[] = [];
      for (let step = 0; step < 700; step++) {
        const next = jobs.slice();
        let same = jobs.length;
        if (next.length === 0 || random() < 0.6) {
          next.push(job({ id: String(step), created: 1000 + step }));
        } else {
          // mostly a late one, now and then any
          const back = random() < 0.97 ? Math.min(20, next.length) : next.length;
          same = next.length - 1 - Math.floor(random() * back);
          const started = next[same]!.created + random() * 9;
          next[same] = {
            ...next[same]!,
            status: statuses[Math.floor(random() * 5)]!,
            started: random() < 0.8 ? started : null,
            finished: random() < 0.7 ? started + random() * 4 : null,
            qpu_seconds: random() < 0.5 ? 1.5 : null,
            stray: random() < 0.1,
          };
        }
        continueSums(jobs, next, same);
        expect(sumsOf(next)).toEqual(sumsOf(next.slice()));
        jobs = next;
      }
    },
  );
});

test.each(series.summaries)("the summary of $series is Python's", (expected) => {
  const found = new Series(expected.series);
  const points = series.points.map(([name, value, error], time) => {
    return { series: name, value, error, time, step: null, job_id: null } as SeriesPoint;
  });
  for (const point of points) if (point.series === found.name) found.add(point);
  expect([found.latest.time, found.best("minimum").time]).toEqual([expected.latest, expected.best]);
  expect([found.points.length, found.noisy]).toEqual([expected.count, expected.noisy]);
});

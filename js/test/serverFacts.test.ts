import { expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import { interactiveTimeout, pendingJobs, usage } from "#shared/metrics";
import type { Snapshot } from "#shared/serverTypes";
import { BLANK } from "#shared/placeholders";
import type { JobRecord } from "#shared/snapshot.gen";
import { complete } from "../src/lab/state/overviewStore";
import { withServerFacts } from "../src/panel/state/serverFacts";

const base = { ...vectors.default_snapshot, session_id: "s", jobs: [] } as unknown as Snapshot;
const job = (id: string, fields: Partial<JobRecord>): JobRecord => ({
  ...BLANK,
  id,
  program: "sampler",
  status: "done",
  created: Number(id.slice(1)),
  ...fields,
});
const counts = { queued: 0, running: 0, done: 0, cancelled: 0, failed: 0 };

test("a job that ran when the kernel went is over, and the timeout counts", () => {
  const running = job("j1000", {
    status: "running",
    started: 1001,
    pubs: 3,
    cell: 7,
    reused: true,
  });
  const own = {
    ...base,
    state: "active" as const,
    started_at: 1001,
    active_periods: [[1001, null]] as [number, null][],
    interactive_ttl: 60,
    budget_seconds: 9,
    jobs: [running],
  };
  const fed = {
    ...own,
    last_job_started: 1001,
    last_job_completed: 1004,
    budget_seconds: null,
    counts: { ...counts, done: 1 },
    jobs: [job("j1000", { program: "executor", started: 1001, finished: 1004, exact: true })],
  };
  const shown = withServerFacts(own, fed);
  expect(pendingJobs(shown)).toEqual([]);
  expect(interactiveTimeout(shown, 1034)?.remaining).toBe(30);
  expect(usage(shown, 1034)).toEqual(usage(fed, 1034));
  expect(shown.jobs[0]).toMatchObject({ finished: 1004, program: "sampler", pubs: 3, cell: 7 });
  expect(shown.jobs[0]!.reused).toBe(true);
  expect(shown.budget_seconds).toBe(9);
});

test("jobs that the server counts and does not name are pending as many as it says", () => {
  const own = { ...base, jobs: [1, 2, 3].map((i) => job(`j${i}`, { status: "queued" })) };
  const told = {
    ...base,
    counts: { ...counts, running: 1, queued: 2, done: 1 },
    jobs: [job("j4", { status: "queued" })],
  };
  const workload = complete({
    service: "ibm",
    snapshot: told,
    opened_by: null,
    also: [],
    events: [],
  });
  const shown = withServerFacts(own, workload.snapshot);
  const words = shown.jobs.map(({ id, status }) => `${id} ${status}`);
  expect(words).toEqual(["j1 running", "j2 queued", "j3 done", "j4 queued"]);
});

test("where more are pending than the panel knows, so many are counted", () => {
  const told = { ...base, counts: { ...counts, queued: 2 }, jobs: [] };
  expect(pendingJobs(withServerFacts(base, told))).toHaveLength(2);
});

test("a batch costs the same with its newest jobs as with all of them", () => {
  const jobs = [1, 2, 3].map((i) => job(`j${i}`, { qpu_seconds: i }));
  const batch = { ...base, mode: "batch" as const };
  const newest = { ...batch, jobs: jobs.slice(2), earlier_qpu: 3 };
  expect(usage(newest, 9)).toEqual(usage({ ...batch, jobs }, 9));
});

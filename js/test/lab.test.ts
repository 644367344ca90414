import { describe, expect, test, vi } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import type { JobRecord } from "#shared/snapshot.gen";
import {
  keyOf,
  which,
  type OpenedBy,
  type Overview,
  type Snapshot,
  type Workload,
} from "../src/lab/contract";
import { Watch, type Notice } from "../src/lab/notices";
import { belongsHere, boundHere, leftBy, samePath } from "../src/lab/place";
import { complete, Sessions } from "../src/lab/sessions";
import {
  agoWords,
  closeSentence,
  idleWords,
  inOrder,
  isOrphan,
  jobWords,
  kernelWords,
  statusLine,
  tone,
  usageWords,
} from "../src/lab/words";

const NOW = 2000;
const job = (fields: Partial<JobRecord>) => ({ ...vectors.default_job, ...fields }) as JobRecord;
const done = (id: string) =>
  job({ id, status: "done", created: 1900, started: 1901, finished: 1982 });
const by = (fields: Partial<OpenedBy> = {}): OpenedBy => ({
  notebook: "a.ipynb",
  label: "a.ipynb",
  kernel_id: "k1",
  kernel: "idle",
  bound: true,
  name: "",
  on_exit: "close",
  ...fields,
});
const active: Partial<Snapshot> = {
  session_id: "7b695108-3f0e-4c55-9d2c-6a1f0b22f50a",
  backend: "ibm_fez",
  state: "active",
  opened_at: 1890,
  started_at: 1901,
  activated_at: 1901,
  last_job_started: 1901,
  last_job_completed: 1982,
  interactive_ttl: 60,
  max_ttl: 7200,
  active_periods: [[1901, null]],
  jobs: [done("j1")],
};
const workload = (
  fields: Partial<Snapshot> = {},
  opened: Partial<OpenedBy> | null = {},
  extra: Partial<Workload> = {},
): Workload => ({
  service: "ibm",
  snapshot: { ...vectors.default_snapshot, ...active, ...fields } as Snapshot,
  opened_by: opened === null ? null : by(opened),
  events: [],
  ...extra,
});

describe("a session in one line", () => {
  test("idle", () => {
    expect(statusLine(workload(), NOW)).toBe(
      "ibm_fez · active, idle · ITTL 0:42 · max 1:58:21 · 1 job",
    );
  });
  test("with a job that runs the interactive timeout is paused", () => {
    const running = job({ id: "j2", status: "running", created: 1990, started: 1991 });
    const line = statusLine(workload({ jobs: [done("j1"), running] }), NOW);
    expect(line).toBe("ibm_fez · active · ITTL paused · max 1:58:21 · 2 jobs");
  });
  test("its kernel gone", () => {
    const orphan = workload({}, { kernel: "gone", bound: false });
    expect(statusLine(orphan, NOW)).toContain("active, idle · kernel gone · ITTL");
    expect([tone(orphan, NOW), isOrphan(orphan), kernelWords(orphan)]).toEqual([
      "bad",
      true,
      "kernel gone",
    ]);
  });
  test("before its first job and when it is over", () => {
    const empty = {
      state: "open",
      started_at: null,
      active_periods: [],
      jobs: [],
    } as Partial<Snapshot>;
    expect(statusLine(workload(empty), NOW)).toBe(
      "ibm_fez · open, no job yet · empty 28:10 · max 2:00:00",
    );
    expect(statusLine(workload({ state: "closed", closed_at: 1990 }), NOW)).toBe(
      "ibm_fez · closed · 1 job",
    );
  });
});

describe("what it costs", () => {
  const priced = {
    ...vectors.default_snapshot.service,
    price_per_second: 1.6,
    charged: true,
  } as Snapshot["service"];
  test("idle time is counted from the last job, at the plan's price", () => {
    expect(idleWords(workload({ service: priced }).snapshot, NOW)).toBe("idle for 18 s, ≈ $29");
    expect(usageWords(workload({ service: priced }).snapshot, NOW)).toBe("1 m 39 s, ≈ $158");
  });
  test("on the emulator it would be", () => {
    const free = { ...priced, charged: false };
    expect(idleWords(workload({ service: free }).snapshot, NOW)).toBe(
      "idle for 18 s, would be ≈ $29",
    );
  });
  test("nothing is idle while a job is pending, nor when deactivated, nor in a batch", () => {
    const queued = job({ id: "j2", status: "queued", created: 1995 });
    const looping = workload({ last_job_completed: NOW - 2 });
    expect(idleWords(looping.snapshot, NOW)).toBe("");
    expect(statusLine(looping, NOW)).toContain(" · active · ITTL 0:58");
    expect(idleWords(workload({ jobs: [done("j1"), queued] }).snapshot, NOW)).toBe("");
    expect(idleWords(workload({ state: "inactive" }).snapshot, NOW)).toBe("");
    expect(idleWords(workload({ mode: "batch" }).snapshot, NOW)).toBe("");
  });
});

test("what closing does, in a sentence", () => {
  const queued = job({ id: "j2", status: "queued", created: 1995 });
  expect(closeSentence(workload().snapshot)).toBe("No job is pending: closing ends it at once.");
  expect(closeSentence(workload({ jobs: [queued] }).snapshot)).toBe(
    "Closing lets 1 queued job finish; no more are accepted.",
  );
});

test("jobs that did not come along are counted all the same", () => {
  const counts = { queued: 30, running: 2, done: 400, failed: 0, cancelled: 0 };
  const { snapshot } = complete(workload({ counts }));
  expect(jobWords(snapshot)).toBe("432 jobs, 2 running, 30 queued");
  expect(closeSentence(snapshot)).toContain("lets 2 running and 30 queued jobs finish");
});

test("how long ago the service answered", () => {
  expect([null, 0.4, 12, 75].map(agoWords)).toEqual([
    "not answered yet",
    "answered 0 s ago",
    "answered 12 s ago",
    "answered 1 m 15 s ago",
  ]);
});

test("what costs comes first, what is closed last", () => {
  const some = (["closed", "inactive", "active", "open"] as const).map((state) =>
    workload({ state }),
  );
  expect(inOrder(some).map(({ snapshot }) => snapshot.state)).toEqual([
    "active",
    "open",
    "inactive",
    "closed",
  ]);
});

describe("which session belongs to a notebook", () => {
  const here = { path: "a.ipynb", kernelId: "k1" };
  test("that of its kernel, whatever the notebook is called by now", () => {
    expect(belongsHere(workload({}, { notebook: "old.ipynb" }), here)).toBe(true);
    expect(belongsHere(workload({}, { kernel_id: "k2" }), here)).toBe(false);
  });
  test("one that an earlier kernel of the notebook has left", () => {
    const left = workload({}, { kernel_id: "k0", kernel: "gone", bound: false });
    expect(boundHere([left], here)).toBe(left);
    expect(boundHere([left], { path: "b.ipynb", kernelId: "k9" })).toBeNull();
  });
  test("the bound one before others, and never one that is closed or nobody's", () => {
    const bound = workload({ session_id: "bound", opened_at: 1 });
    const other = workload({ session_id: "other", opened_at: 2 }, { bound: false });
    expect(boundHere([other, workload({ state: "closed" }), workload({}, null), bound], here)).toBe(
      bound,
    );
  });
  test("a drive in front of a path means the same file", () => {
    expect(samePath("RTC:a/b.ipynb", "a/b.ipynb")).toBe(true);
    expect(samePath("", "")).toBe(false);
  });
  test("only what a living kernel holds open can be left behind", () => {
    const all = [
      workload(),
      workload({}, { kernel: "gone" }),
      workload({ accepting_jobs: false }),
      workload({}, null),
      workload({}, { kernel: "alive" }),
      workload({}, { kernel: "elsewhere" }),
    ];
    expect(leftBy(all, ["k1"])).toEqual([all[0], all[4]]);
    expect(leftBy(all, ["k2"])).toEqual([]);
  });
});

describe("notifications", () => {
  const nobody = { ended: () => false, left: () => false };
  const looks = (...steps: [Workload, number, typeof nobody?][]): Notice[][] => {
    const watch = new Watch();
    return steps.map(([each, now, known]) => watch.look([each], () => now, known ?? nobody).fresh);
  };
  const kinds = (notices: Notice[][]) => notices.map((each) => each.map(({ setting }) => setting));

  test("what has happened before the first look is not told", () => {
    const events = [{ seq: 3, at: 1, kind: "stray" as const, text: "…" }];
    const failed = job({ id: "j3", status: "failed", created: 1, finished: 2 });
    expect(kinds(looks([workload({ jobs: [failed] }, {}, { events }), NOW]))).toEqual([[]]);
  });
  test("the first job, deactivated, a failed job, an event: each once", () => {
    const empty = workload({ state: "open", started_at: null, active_periods: [], jobs: [] });
    const failed = job({
      id: "j2",
      status: "failed",
      created: 1990,
      finished: 1995,
      error: "Too deep.",
    });
    const events = [
      { seq: 1, at: 1, kind: "budget" as const, text: "80 % of the budget is used." },
    ];
    const told = looks(
      [empty, 1895],
      [workload(), NOW],
      [workload(), NOW],
      [workload({ jobs: [done("j1"), failed] }, {}, { events }), NOW],
      [workload({ jobs: [done("j1"), failed], state: "inactive" }, {}, { events }), 2050],
    );
    expect(kinds(told)).toEqual([
      [],
      ["notifyFirstJob"],
      [],
      ["notifyFailed", "notifyBudget"],
      ["notifyDeactivated"],
    ]);
    expect(told[3]![0]!.text).toContain("Too deep.");
  });
  test("the end is told, but not to whom asked for it on this page", () => {
    const closed = workload({
      state: "closed",
      closed_at: 1999,
      state_reason: "session_cancelled",
    });
    expect(looks([workload(), NOW], [closed, NOW])[1]![0]!.text).toContain("is cancelled. Usage");
    expect(
      kinds(looks([workload(), NOW], [closed, NOW, { ...nobody, ended: () => true }])),
    ).toEqual([[], []]);
  });
  test("an interactive timeout about to pass, taken back when a job comes", () => {
    const watch = new Watch();
    const look = (each: Workload, now: number) => watch.look([each], () => now, nobody);
    expect(look(workload(), 2020).fresh).toEqual([]);
    expect(look(workload(), 2028).fresh.map(({ setting }) => setting)).toEqual(["notifyIdle"]);
    expect(look(workload(), 2029).fresh).toEqual([]);
    const queued = workload({
      jobs: [done("j1"), job({ id: "j2", status: "queued", created: 2029 })],
    });
    expect(look(queued, 2030).over).toContain(`notifyIdle ${keyOf(which(queued))}`);
  });
  test("no warning after every job where the whole timeout is short", () => {
    expect(
      kinds(
        looks([workload({ interactive_ttl: 12 }), 1984], [workload({ interactive_ttl: 12 }), 1986]),
      ),
    ).toEqual([[], []]);
  });
  test("five minutes before the maximum time", () => {
    const late = 1901 + 7200 - 299;
    const running = job({ id: "j2", status: "running", created: 1990, started: 1991 });
    const busy = workload({ jobs: [running] });
    expect(kinds(looks([busy, late - 2], [busy, late], [busy, late + 1]))).toEqual([
      [],
      ["notifyMaximum"],
      [],
    ]);
  });
  test("a kernel that is gone, unless the reader chose that", () => {
    const gone = workload({}, { kernel: "gone" });
    expect(kinds(looks([workload(), NOW], [gone, NOW]))).toEqual([[], ["notifyOrphan"]]);
    expect(kinds(looks([workload(), NOW], [gone, NOW, { ...nobody, left: () => true }]))).toEqual([
      [],
      [],
    ]);
  });
  test("every sentence fits what JupyterLab shows of one", () => {
    const gone = workload({}, { kernel: "gone" });
    const all = [
      ...looks([workload(), NOW], [gone, NOW]),
      ...looks([workload({ started_at: null, state: "open" }), NOW], [workload(), 2030]),
      ...looks([workload(), NOW], [workload({ state: "inactive" }), 2050]),
      ...looks([workload(), 9000]),
    ].flat();
    expect(all.length).toBeGreaterThan(4);
    for (const { text } of all) expect(text.length, text).toBeLessThanOrEqual(140);
  });
  test("the next moment is when the warning is due, not later", () => {
    expect(Watch.nextMoment(workload(), NOW)).toBeCloseTo(1982 + 60 - 15 - NOW);
    expect(Watch.nextMoment(workload({ state: "closed", closed_at: NOW }), NOW)).toBe(Infinity);
  });
});

describe("what the page knows", () => {
  const overview = (fields: Partial<Overview> = {}): Overview => ({
    schema: 1,
    revision: 1,
    now: 1_000_000,
    services: [
      {
        key: "ibm",
        info: vectors.default_snapshot.service as Snapshot["service"],
        clock_offset: -998_000,
        answered_at: 1999,
        problem: null,
        problem_since: null,
        account: "",
      },
    ],
    workloads: [workload()],
    kernels: {},
    ...fields,
  });
  const arrived = (now: number) => {
    vi.useFakeTimers({ now });
    const sessions = new Sessions();
    sessions.accept({ overview: overview(), failure: null, at: Date.now() });
    return sessions;
  };

  test("the service's clock, whatever this machine's says", () => {
    const sessions = arrived(5e12);
    expect(sessions.now("ibm")).toBeCloseTo(NOW);
    vi.advanceTimersByTime(7000);
    expect(sessions.now("ibm")).toBeCloseTo(NOW + 7);
    vi.useRealTimers();
  });
  test("while the server is silent, what was known stays and its clock goes on", () => {
    const sessions = arrived(5e12);
    vi.advanceTimersByTime(60_000);
    const failure = { kind: "down" as const, message: "…" };
    sessions.accept({ overview: overview(), failure, at: 5e12 });
    expect(sessions.open).toHaveLength(1);
    expect(sessions.now("ibm")).toBeCloseTo(NOW + 60);
    vi.useRealTimers();
  });
  test("news count even when this machine's clock was set back", () => {
    const sessions = arrived(5e12);
    vi.setSystemTime(5e12 - 3_600_000);
    const at = Date.now();
    sessions.accept({ overview: overview({ workloads: [], now: 1_000_010 }), failure: null, at });
    expect(sessions.open).toEqual([]);
    expect(sessions.now("ibm")).toBeCloseTo(NOW + 10);
    vi.useRealTimers();
  });
  test("a server of another version is not guessed at", () => {
    const sessions = new Sessions();
    sessions.accept({ overview: overview({ schema: 2 }), failure: null, at: 1 });
    expect(sessions.overview).toBeNull();
    expect(sessions.failure?.message).toContain("load the page again");
  });
  test("what was answered to a button is shown before the next overview comes", () => {
    const sessions = arrived(5e12);
    vi.useRealTimers();
    const closed = { ...workload().snapshot, state: "closed" as const, closed_at: NOW };
    sessions.update("ibm", closed);
    expect(sessions.open).toEqual([]);
  });
});

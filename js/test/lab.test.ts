import { afterEach, describe, expect, test, vi } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import { cancelSentence } from "#shared/consequences";
import type { JobRecord } from "#shared/snapshot.gen";
import {
  keyOf,
  which,
  type EndAction,
  type OpenedBy,
  type Overview,
  type Snapshot,
  type Workload,
} from "../src/shared/serverTypes";
import {
  END_SESSION,
  makeEndSession,
  offerEndSession,
  type EndSession,
} from "../src/lab/state/serverSessionControl";
import { ChangeDetector, type Known, type Notice } from "../src/lab/notifications/changes";
import { attachLine } from "../src/lab/state/attachLine";
import { belongsHere, boundHere, leftBy, samePath } from "../src/lab/state/currentNotebook";
import { RequestFailed } from "../src/shared/messages/outcomes";
import { complete, Sessions } from "../src/lab/state/overviewStore";
import {
  agoWords,
  closeSentence,
  idleWords,
  inOrder,
  isOrphan,
  jobWords,
  kernelWords,
  leftSentence,
  serviceTitle,
  statusLine,
  titleOf,
  tone,
  priceWords,
  usageWords,
  worstTone,
} from "../src/shared/messages/labels";

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
  also: [],
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
    expect(idleWords(workload({ service: priced }).snapshot, NOW)).toBe("idle for 18 s, ≈ $28.80");
    expect(usageWords(workload({ service: priced }).snapshot, NOW)).toBe("1 m 39 s, ≈ $158");
  });
  test("on the emulator it would be", () => {
    const free = { ...priced, charged: false };
    expect(idleWords(workload({ service: free }).snapshot, NOW)).toBe(
      "idle for 18 s, would be ≈ $28.80",
    );
  });
  test("a figure says which price it used", () => {
    const words = (fields: object) => priceWords({ ...priced, ...fields } as Snapshot["service"]);
    const premium = { price_per_second: 0.8, plan: "premium", price_source: "list" };
    expect(words(premium)).toBe("at $0.80/s, list price of Premium");
    expect(words({ ...premium, price_source: "own" })).toBe("at $0.80/s, your price");
    expect(words({ price_per_second: null })).toBe("");
    expect(words({})).toBe("at $1.60/s");
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

describe("before it is lost", () => {
  const charged = {
    ...vectors.default_snapshot.service,
    price_per_second: 1.6,
    charged: true,
  } as Snapshot["service"];
  const free = { ...charged, charged: false };
  const left = (fields: Partial<Snapshot>) => leftSentence(workload(fields).snapshot, NOW);
  const queued = job({ id: "j2", status: "queued", created: 1995 });
  const running = job({ id: "j3", status: "running", created: 1995, started: 1996 });

  test("what cancelling loses", () => {
    expect(cancelSentence(workload({ jobs: [queued] }).snapshot)).toBe(
      "Ends the session; 1 queued job is lost.",
    );
    const both = [queued, { ...queued, id: "j4" }, running];
    expect(cancelSentence(workload({ jobs: both }).snapshot)).toBe(
      "Ends the session; 2 queued jobs are lost, 1 running job finishes.",
    );
  });
  test("what leaving it open comes to, in money and time", () => {
    expect(left({ service: charged })).toBe(
      "Left open, it keeps running (≈ $1.60 a second while active) until its interactive timeout in 0:42.",
    );
    expect(left({ service: free, jobs: [running] })).toContain(
      "(emulated, no charge) until its jobs are done and its interactive timeout of 1:00",
    );
    expect(left({ state: "inactive" })).toContain("nothing is billed until one of its jobs runs");
    const empty = { state: "open" as const, started_at: null, active_periods: [], jobs: [] };
    expect(left(empty)).toContain("closes by itself in 28:10");
    expect(left({ mode: "batch" })).toContain("goes on with the jobs it has");
  });
});

test("a closed session has no jobs, and not none yet", () => {
  expect(jobWords(workload({ jobs: [] }).snapshot)).toBe("no job yet");
  expect(jobWords(workload({ jobs: [], state: "closed" }).snapshot)).toBe("no jobs");
});

test("of several the worst is shown", () => {
  expect(worstTone(["good", "warning", "quiet"])).toBe("warning");
  expect(worstTone([])).toBe("quiet");
});

test("emulators are told apart by their names, sessions by their ids where nothing else does", () => {
  const info = { ...vectors.default_snapshot.service, label: "local emulator · no charge" };
  const service = { key: "local:vqe", info } as Parameters<typeof serviceTitle>[0];
  expect(serviceTitle(service)).toBe("local emulator “vqe” · no charge");
  expect(serviceTitle({ ...service, key: "local" })).toBe("local emulator · no charge");
  const [one, other] = [workload(), workload({ session_id: "another-session-of-mine" })];
  const named = workload({ session_id: "named", name: "vqe" });
  expect(titleOf(one, [one, named])).toBe("session on ibm_fez");
  expect(titleOf(one, [one, other])).toBe("session on ibm_fez (7b695108…f50a)");
  expect(titleOf(named, [one, other, named])).toBe("session “vqe”");
});

test("jobs that did not come along are counted all the same", () => {
  const counts = { queued: 30, running: 2, done: 400, failed: 0, cancelled: 0 };
  const { snapshot } = complete(workload({ counts }));
  expect(jobWords(snapshot)).toBe("432 jobs, 2 running, 30 queued");
  expect(closeSentence(snapshot)).toContain("lets 2 running and 30 queued jobs finish");
});

test("how long ago the service answered", () => {
  expect([null, 0.4, 39, 75].map(agoWords)).toEqual([
    "not answered yet",
    "",
    "",
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
    const both = workload({}, {}, { also: [by({ kernel_id: "k2", on_exit: "leave" })] });
    expect(leftBy([both], ["k2"])).toEqual([both]);
    expect(boundHere([both], { path: "another.ipynb", kernelId: "k2" })).toBe(both);
    expect(boundHere([both], { path: "another.ipynb", kernelId: "k3" })).toBe(null);
  });
});

describe("the line that attaches a session", () => {
  const line = (service: string, id = "7b695108-3f0e") => attachLine({ service, id });

  test("names where the kernel is to look: accounts, this machine's emulators, or a joined service", () => {
    expect(line("ibm")).toBe("%session attach 7b695108-3f0e --service ibm");
    expect(line("ibm:work@0123")).toBe("%session attach 7b695108-3f0e --service ibm");
    expect(line("local:vqe")).toBe("%session attach 7b695108-3f0e --service local");
    expect(line("joined:class")).toBe("%session attach 7b695108-3f0e --service class");
    expect(line("joined:ibm-lab_2")).toBe("%session attach 7b695108-3f0e --service ibm-lab_2");
  });
  test.each([
    "x\n__import__('os').system('touch stolen')",
    "x\n",
    "{__import__('os').getcwd()}",
    "$HOME",
    "x --on-exit close",
    "--service=ibm",
    "x;y",
    "x\u2028y",
    "\u0456d",
    "",
    "x".repeat(101),
  ])("has no place for %j, which a service may send as an id", (id) => {
    expect(line("joined:class", id)).toBeNull();
    expect(line("ibm", id)).toBeNull();
    expect(line(`joined:${id}`)).toBeNull();
  });
});

describe("notifications", () => {
  const nobody: Known = {
    ended: () => false,
    left: () => false,
    isHere: () => false,
    isInUse: () => false,
  };
  const looks = (...steps: [Workload, number, Known?][]): Notice[][] => {
    const watch = new ChangeDetector();
    return steps.map(([each, now, known]) => watch.look([each], () => now, known ?? nobody).fresh);
  };
  const kinds = (notices: Notice[][]) => notices.map((each) => each.map(({ setting }) => setting));

  test("what has happened before the first look is not told", () => {
    const events = [{ seq: 3, at: 1, kind: "stray" as const, text: "…" }];
    const failed = job({ id: "j3", status: "failed", created: 1, finished: 2 });
    expect(kinds(looks([workload({ jobs: [failed] }, {}, { events }), NOW]))).toEqual([[]]);
  });
  test("the first job, deactivated, a failed job, an event: each once", () => {
    const first = { ...done("j1"), created: 1880 };
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
      [workload({ jobs: [first] }), NOW],
      [workload({ jobs: [first] }), NOW],
      [workload({ jobs: [first, failed] }, {}, { events }), NOW],
      [workload({ jobs: [first, failed], state: "inactive" }, {}, { events }), 2050],
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
  test("that nothing is billed is taken back when a job makes it active again", () => {
    const watch = new ChangeDetector();
    const look = (state: Snapshot["state"]) => watch.look([workload({ state })], () => NOW, nobody);
    look("active");
    const [told] = look("inactive").fresh;
    expect(told!.setting).toBe("notifyDeactivated");
    expect(look("active").over).toContain(told!.key);
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
  test("nor to whom works in its notebook while it is closed there; a timeout is news to everybody", () => {
    const working = { ...nobody, isInUse: () => true };
    const ends = (state_reason: string) =>
      workload({ state: "closed", closed_at: 1999, state_reason });
    const told = (reason: string) => looks([workload(), NOW], [ends(reason), NOW, working])[1]!;
    expect(told("session_closed_early")).toEqual([]);
    expect(told("session_max_ttl_reached")).toHaveLength(1);
  });
  test("what a rule has closed is told once, whichever is heard of first", () => {
    const events = [{ seq: 1, at: 1, kind: "guard" as const, text: "It was closed because …" }];
    const end = { state: "closed" as const, closed_at: 1999 };
    const by_rule = workload(end, {}, { events });
    const first = looks([workload(), NOW], [workload({}, {}, { events }), NOW], [by_rule, NOW]);
    expect(kinds(first)).toEqual([[], ["notifyGuard"], []]);
    expect(kinds(looks([workload(), NOW], [by_rule, NOW]))).toEqual([[], ["notifyGuard"]]);
    const watch = new ChangeDetector();
    const look = (each: Workload) => watch.look([each], () => NOW, nobody);
    look(workload());
    const [closed] = look(workload(end)).fresh;
    expect(closed!.setting).toBe("notifyClosed");
    expect(look(by_rule).over).toContain(closed!.key);
  });
  test("a warning of a budget is taken back when there is nothing left to close", () => {
    const events = [{ seq: 1, at: 1, kind: "budget" as const, text: "80% is used." }];
    const watch = new ChangeDetector();
    const look = (each: Workload) => watch.look([each], () => NOW, nobody);
    look(workload());
    const [warned] = look(workload({}, {}, { events })).fresh;
    const end = workload({ state: "closed", closed_at: 1999 }, {}, { events });
    expect(look(end).over).toContain(warned!.key);
  });
  test("an interactive timeout about to pass, taken back when a job comes", () => {
    const watch = new ChangeDetector();
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
  test("no warning of a maximum time that nothing depends on", () => {
    const late = 1901 + 7200 - 299;
    const inactive = { state: "inactive" as const, active_periods: [[1901, 2000]] };
    const queued = job({ id: "j2", status: "queued", created: 1995 });
    expect(kinds(looks([workload(inactive as Partial<Snapshot>), late]))).toEqual([[]]);
    expect(
      kinds(looks([workload({ ...inactive, jobs: [queued] } as Partial<Snapshot>), late])),
    ).toEqual([["notifyMaximum"]]);
  });
  test("a kernel that is gone, unless the reader chose that", () => {
    const gone = workload({}, { kernel: "gone" });
    expect(kinds(looks([workload(), NOW], [gone, NOW]))).toEqual([[], ["notifyOrphan"]]);
    expect(kinds(looks([workload(), NOW], [gone, NOW, { ...nobody, left: () => true }]))).toEqual([
      [],
      [],
    ]);
  });
  test("what is said of a kernel that is gone is taken back when nothing is billed any more", () => {
    const watch = new ChangeDetector();
    const look = (fields: Partial<Snapshot>) =>
      watch.look([workload(fields, { kernel: "gone" })], () => NOW, nobody);
    const [told] = look({}).fresh;
    expect(told!.text).toBe(
      "The kernel that opened the session on ibm_fez is gone, but the session is still active and billed.",
    );
    expect(look({ state: "inactive" }).over).toContain(told!.key);
    expect(look({}).fresh).toHaveLength(1);
  });
  test("every sentence fits what JupyterLab shows of one", () => {
    const long = { backend: "ibm_marrakesh", name: "" };
    const gone = workload(long, { kernel: "gone" });
    const share =
      "80% of the budget is used (≈ $12,480 of $15,600). At 100 % the session is ended, and its queued jobs are cancelled.";
    const events = [{ seq: 1, at: 1, kind: "budget" as const, text: share }];
    const all = [
      ...looks([workload(long), NOW], [workload(long, {}, { events }), NOW]),
      ...looks([workload(), NOW], [gone, NOW]),
      ...looks([workload({ started_at: null, state: "open" }), NOW], [workload(), 2030]),
      ...looks([workload(), NOW], [workload({ state: "inactive" }), 2050]),
      ...looks([workload(), 9000]),
    ].flat();
    expect(all.length).toBeGreaterThan(4);
    expect(all.find(({ setting }) => setting === "notifyBudget")!.text).toBe(
      "Session on ibm_marrakesh: 80% of the budget is used (≈ $12,480 of $15,600).",
    );
    for (const { text } of all) expect(text.length, text).toBeLessThanOrEqual(140);
  });
  test("the next moment is when the warning is due, not later", () => {
    expect(ChangeDetector.nextMoment(workload(), NOW)).toBeCloseTo(1982 + 60 - 15 - NOW);
    expect(ChangeDetector.nextMoment(workload({ state: "closed", closed_at: NOW }), NOW)).toBe(
      Infinity,
    );
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

describe("ending it for a panel whose kernel cannot", () => {
  const page = globalThis as { [END_SESSION]?: EndSession };
  const overview = (workloads: Workload[], revision = 1): Overview => ({
    schema: 1,
    revision,
    now: NOW,
    services: [],
    workloads,
    kernels: {},
  });
  const known = (...workloads: Workload[]) => {
    const sessions = new Sessions();
    sessions.accept({ overview: overview(workloads), failure: null, at: 1 });
    return sessions;
  };
  const id = active.session_id!;
  const done = vi.fn(async (action: EndAction) => ({
    ok: true,
    message: "It is closed.",
    result: { code: "closed" as const, action, cancelled: 0, finishing: 0 },
  }));
  const unasked = { overview: () => Promise.reject(new Error("asked")) };
  afterEach(() => {
    done.mockClear();
    delete page[END_SESSION];
  });

  test("its service is found among the sessions that the page knows", async () => {
    const end = makeEndSession(known(workload({ session_id: "x" }), workload()), unasked, done);
    expect(await end("close", id)).toMatchObject({ code: "closed", message: "It is closed." });
    expect(done).toHaveBeenCalledWith("close", { service: "ibm", id });
  });
  test("one that the page does not know yet is asked for, and waited for", async () => {
    const answers = [overview([], 5), overview([workload({}, {}, { service: "local:b" })], 6)];
    const asked: unknown[] = [];
    const server = {
      overview: async (...what: unknown[]) => {
        asked.push(what);
        return answers.shift()!;
      },
    };
    await makeEndSession(known(), server, done)("cancel", id);
    expect(done).toHaveBeenCalledWith("cancel", { service: "local:b", id });
    expect(asked).toEqual([
      [null, 0],
      [5, 5],
    ]);
  });
  test("what goes wrong is one sentence", async () => {
    const refuses = async () => ({ ok: false, message: "The pumps are down.", result: null });
    await expect(makeEndSession(known(workload()), unasked, refuses)("close", id)).rejects.toThrow(
      /^The pumps are down\.$/,
    );
    const silent = {
      overview: () => Promise.reject(new RequestFailed("down", "… it is tried again …")),
    };
    await expect(makeEndSession(known(), silent, done)("close", id)).rejects.toThrow(
      "The Jupyter server does not answer: try again in a moment.",
    );
    vi.useFakeTimers();
    const empty = {
      overview: async () => {
        vi.advanceTimersByTime(5000);
        return overview([]);
      },
    };
    await expect(makeEndSession(known(), empty, done)("close", id)).rejects.toThrow(
      "No service that the Jupyter server asks knows of a session 7b695108…f50a.",
    );
    vi.useRealTimers();
    expect(done).not.toHaveBeenCalled();
  });
  test("it is on the page, but not where the server lacks the server extension", () => {
    const sessions = new Sessions();
    const endSession: EndSession = async () => ({ message: "" });
    offerEndSession(sessions, endSession);
    expect(page[END_SESSION]).toBe(endSession);
    sessions.accept({ overview: null, failure: { kind: "down", message: "…" }, at: 1 });
    expect(page[END_SESSION]).toBe(endSession);
    sessions.accept({ overview: null, failure: { kind: "missing", message: "…" }, at: 1 });
    expect(page[END_SESSION]).toBeUndefined();
    sessions.accept({ overview: overview([]), failure: null, at: 1 });
    expect(page[END_SESSION]).toBe(endSession);
  });
});

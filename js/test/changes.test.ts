import { describe, expect, test } from "vitest";
import { keyOf, which, type Snapshot, type Workload } from "../src/shared/serverTypes";
import { ChangeDetector, type Known, type Notice } from "../src/lab/notifications/changes";
import { NOW, job, done, workload } from "./workloads";

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

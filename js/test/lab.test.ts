import { describe, expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import { cancelSentence } from "#shared/consequences";
import { type Snapshot } from "../src/shared/serverTypes";
import { attachLine } from "../src/lab/state/attachLine";
import { belongsHere, boundHere, leftBy, samePath } from "../src/lab/state/currentNotebook";
import { complete } from "../src/lab/state/overviewStore";
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
  sharedSentence,
  statusLine,
  titleOf,
  tone,
  priceWords,
  usageWords,
  worstTone,
} from "../src/shared/messages/labels";
import { NOW, job, done, by, workload } from "./workloads";

describe("a session in one line", () => {
  test("idle", () => {
    expect(statusLine(workload(), NOW)).toBe(
      "ibm_fez · active, idle · ITTL 0:42 · max 1:58:21 · 1 job",
    );
  });
  test("with a job that runs the interactive timeout is full", () => {
    const running = job({ id: "j2", status: "running", created: 1990, started: 1991 });
    const line = statusLine(workload({ jobs: [done("j1"), running] }), NOW);
    expect(line).toBe("ibm_fez · active · ITTL 1:00 · max 1:58:21 · 2 jobs");
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
      "ibm_fez · open, no job yet · closes in 28:10 · max 2:00:00",
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

  test("what closing ends elsewhere", () => {
    const { snapshot } = workload();
    const both = [by(), by({ label: "b.ipynb", kernel: "elsewhere" })];
    expect(sharedSentence(snapshot, both)).toBe(
      "It is open in a.ipynb and b.ipynb: closing ends it there, too.",
    );
    expect(sharedSentence(snapshot, [by(), by({ label: "b.ipynb", kernel: "gone" })])).toBe("");
    expect(sharedSentence(workload({ state: "closed" }).snapshot, both)).toBe("");
  });

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

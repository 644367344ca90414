import { describe, expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import type { JobRecord } from "#shared/snapshot.gen";
import type { Snapshot, Workload } from "#shared/serverTypes";
import { ChangeDetector, firstWait, type Known } from "../src/lab/notifications/changes";
import { failure, named, SEVERAL, several, SHOWN } from "../src/shared/messages/notifications";

const NOW = 2000;
const nobody: Known = {
  ended: () => false,
  left: () => false,
  isHere: () => false,
  isInUse: () => false,
};
const job = (fields: Partial<JobRecord>) => ({ ...vectors.default_job, ...fields }) as JobRecord;
const session = (id: string, fields: Partial<Snapshot> = {}, kernel = "idle"): Workload => ({
  service: "ibm",
  snapshot: {
    ...vectors.default_snapshot,
    session_id: id,
    name: id,
    backend: "ibm_marrakesh",
    state: "active",
    opened_at: 1800,
    started_at: 1901,
    activated_at: 1901,
    active_periods: [[1901, null]],
    interactive_ttl: 600,
    last_job_completed: 1990,
    jobs: [],
    ...fields,
  } as Snapshot,
  opened_by: {
    notebook: "a.ipynb",
    label: "a.ipynb",
    kernel_id: "k1",
    kernel: kernel as "idle",
    bound: true,
    name: "",
    on_exit: "close",
  },
  also: [],
  events: [],
});
const after = (before: Workload[], now: Workload[], known = nobody) => {
  const watch = new ChangeDetector();
  watch.look(before, () => NOW, known);
  return watch.look(now, () => NOW, known);
};
const ids = ["a", "b", "c", "d", "e"];

describe("one for several of a kind at once", () => {
  test("a kernel that is killed with five sessions", () => {
    const { fresh } = after(
      ids.map((id) => session(id)),
      ids.map((id) => session(id, {}, "gone")),
    );
    expect(fresh).toHaveLength(1);
    expect(fresh[0]!.text).toBe(
      "5 sessions are still active and billed, but their kernel is gone: session “a”, session “b” and 3 more.",
    );
    expect(fresh[0]!.parts).toEqual(ids.map((id) => `notifyOrphan ibm/${id}`));
    expect(fresh[0]!.does).toBe("show");
  });
  test("each of them is still taken back by its own key", () => {
    const watch = new ChangeDetector();
    const look = (kernels: string[]) =>
      watch.look(
        kernels.map((kernel, at) => session(ids[at]!, {}, kernel)),
        () => NOW,
        nobody,
      );
    const { parts } = look(["gone", "gone"]).fresh[0]!;
    expect(look(["idle", "gone"]).over).toEqual([parts![0]]);
  });
  test("jobs that fail together, of one session and of several", () => {
    const failed = (id: string) => job({ id, status: "failed", error: "Too deep." });
    const one = after([session("a")], [session("a", { jobs: [failed("1"), failed("2")] })]).fresh;
    expect(one.map(({ text, does }) => [text, does])).toEqual([
      ["2 jobs of the session “a” failed: Too deep.", "notebook"],
    ]);
    const two = after(
      [session("a"), session("b")],
      [session("a", { jobs: [failed("1")] }), session("b", { jobs: [failed("2")] })],
    ).fresh;
    expect(two.map(({ text, does }) => [text, does])).toEqual([
      ["2 jobs of 2 sessions failed: Too deep.", "show"],
    ]);
  });
  test("different kinds stay apart", () => {
    const now = [session("a", { state: "inactive" }), session("b", {}, "gone")];
    expect(after([session("a"), session("b")], now).fresh).toHaveLength(2);
  });
  test("each sentence about several fits", () => {
    const titles = ids.map((id) => `session “a rather long name ${id}”`);
    for (const setting of Object.keys(SEVERAL)) {
      const text = several(setting, titles, true);
      expect(text.length, text).toBeLessThanOrEqual(SHOWN);
      expect(text).toContain("5 sessions");
    }
    expect(named(["a", "b", "c"])).toBe("a, b, c");
    expect(named(ids)).toBe("a, b and 3 more");
  });
});

describe("the remedy is never cut", () => {
  const head = "A job of the session on ibm_marrakesh (7b695108…f50a) failed";
  test("what is in the middle goes first", () => {
    const error =
      "The circuit of PUB 0 has the gate 'h' on qubits [0], which fake_marrakesh does not have there " +
      "(its gates: cz, delay, id, measure, rz, sx, x): transpile it for this backend.";
    const text = failure(head, error, 1517);
    expect(text.length).toBeLessThanOrEqual(SHOWN);
    expect(text).toMatch(/^A job of the session on ibm_marrakesh \(7b695108…f50a\) failed: The/);
    expect(text).toMatch(/…: transpile it for this backend\.$/);
  });
  test("nor missing where the service does not name it", () => {
    const error = "The instruction h on qubits (0,) is not supported by the target system.";
    const text = failure(head, error, 1517);
    expect(text.length).toBeLessThanOrEqual(SHOWN);
    expect(text).toMatch(/: transpile it for this backend\.$/);
  });
  test("short ones are told as they are", () => {
    expect(failure(head, "Too deep.", null)).toBe(`${head}: Too deep.`);
    expect(failure(head, null, 1517)).toBe(`${head}.`);
    expect(failure(head, "x".repeat(300), null).length).toBeLessThanOrEqual(SHOWN);
  });
});

describe("no news", () => {
  test("a queue that took no time", () => {
    const waits = session("a", { state: "open", started_at: null, active_periods: [] });
    const first = (created: number) =>
      session("a", { jobs: [job({ id: "1", status: "running", created, started: 1901 })] });
    expect(firstWait(first(1901))).toBe(0);
    expect(after([waits], [first(1900)]).fresh).toEqual([]);
    expect(after([waits], [first(1880)]).fresh[0]!.text).toContain("has left the queue");
  });
  test("what a cell, the panel or a restart of this notebook has ended itself, however long ago it was typed", () => {
    const here = { ...nobody, isHere: () => true };
    const ended = (end_reason: Snapshot["end_reason"], known: Known) =>
      after(
        [session("a")],
        [session("a", { state: "closed", closed_at: 1999, end_reason, accepting_jobs: false })],
        known,
      ).fresh.length;
    for (const reason of ["notebook", "panel", "once", "exit"] as const) {
      expect([ended(reason, here), ended(reason, nobody)], reason).toEqual([0, 1]);
    }
    expect([ended("max_time", here), ended("terminal", here)]).toEqual([1, 1]);
  });
});

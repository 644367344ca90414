import { afterEach, describe, expect, test, vi } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import {
  type EndAction,
  type Overview,
  type Snapshot,
  type Workload,
} from "../src/shared/serverTypes";
import { END_SESSION, type EndSession } from "../src/shared/offers";
import { makeEndSession, offerEndSession } from "../src/lab/state/serverSessionControl";
import { RequestFailed } from "../src/shared/messages/outcomes";
import { Sessions } from "../src/lab/state/overviewStore";
import { NOW, active, workload } from "./workloads";

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

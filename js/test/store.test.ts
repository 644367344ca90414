import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import { commandProgress } from "#shared/messages/commands";
import type { EndCode } from "#shared/serverTypes";
import { isDone, isOver } from "../src/panel/state/commands";
import type { Facts, FromKernel, PanelModel, ToKernel } from "../src/panel/state/protocol";
import { SessionStore } from "../src/panel/state/store";

const NOW = 2000;

/** JupyterLab's connection to a kernel. */
class Kernel {
  connectionStatus = "connected";
  slots: (() => void)[] = [];
  readonly connectionStatusChanged = {
    connect: (slot: () => void) => this.slots.push(slot),
    disconnect: (slot: () => void) => (this.slots = this.slots.filter((known) => known !== slot)),
  };
  becomes(status: string) {
    this.connectionStatus = status;
    for (const slot of this.slots) slot();
  }
}

/** A front end's model of the widget, with nobody behind it. */
class Model implements PanelModel {
  readonly kernel = new Kernel();
  readonly widget_manager = { kernel: this.kernel };
  readonly sent: ToKernel[] = [];
  dead = false;
  private readonly state: Record<string, unknown>;
  private listeners: [string, (...args: never[]) => void][] = [];

  constructor() {
    const counts = { queued: 0, running: 0, done: 0, cancelled: 0, failed: 0 };
    const { jobs: _jobs, ...snapshot } = { jobs: [], ...vectors.default_snapshot };
    const facts = { ...snapshot, session_id: "s1", counts, sent_at_service: NOW, epoch: NOW };
    this.state = { facts: facts as unknown as Facts };
  }
  get(name: string) {
    return this.state[name];
  }
  set(name: string, value: unknown) {
    this.state[name] = value;
  }
  send(message: unknown) {
    if (this.dead) throw new Error("Cannot send");
    this.sent.push(message as ToKernel);
  }
  on(name: string, callback: (...args: never[]) => void) {
    this.listeners.push([name, callback]);
  }
  off() {
    this.listeners = [];
  }
  fire(name: string, ...args: unknown[]) {
    for (const [n, callback] of this.listeners) if (n === name) callback(...(args as never[]));
  }
  deliver(message: FromKernel) {
    this.fire("msg:custom", message, []);
  }
  kinds(type: ToKernel["type"]) {
    return this.sent.filter((message) => message.type === type);
  }
}

const everything: FromKernel = { type: "jobs", revision: 1, reset: true, jobs: [], at: NOW };
const missed: FromKernel = { type: "jobs", revision: 9, jobs: [["j9", "sampler", "q", 0]] };

function connected() {
  const model = new Model();
  const store = new SessionStore(model);
  model.deliver(everything);
  return { model, store };
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("what went missing", () => {
  test("is asked for once, however much more comes before the answer", () => {
    const { model } = connected();
    model.deliver(missed);
    model.deliver({ ...missed, revision: 10 });
    expect(model.kinds("sync")).toHaveLength(2);
  });

  test("is asked for again when the question went missing, too, and less and less often", () => {
    const { model, store } = connected();
    model.deliver(missed);
    vi.advanceTimersByTime(3_000);
    expect(model.kinds("sync")).toHaveLength(3);
    expect(store.link).toBe("silent");
    vi.advanceTimersByTime(600_000);
    expect(model.kinds("sync").length).toBeLessThan(20);
    model.deliver(everything);
    expect(store.link).toBe("live");
    vi.advanceTimersByTime(600_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is asked for by a page whose first question lies behind a cell", () => {
    const model = new Model();
    const store = new SessionStore(model);
    model.deliver(missed);
    expect(model.kinds("sync")).toHaveLength(2);
    expect(store.link).toBe("live");
    model.deliver(everything);
    expect(store.jobsKnown).toBe(true);
  });
});

describe("a command whose answer did not come", () => {
  test("is sent again, as the same one, when the kernel is heard of again", () => {
    const { model, store } = connected();
    store.commands.request("close");
    model.fire("comm_live_update");
    expect(store.link).toBe("lost");
    model.deliver(everything);
    const commands = model.kinds("command");
    expect(commands).toHaveLength(2);
    expect(commands[1]).toEqual(commands[0]);
  });

  test("is not sent again once it is known how it ended", () => {
    const { model, store } = connected();
    store.commands.request("close");
    model.deliver({ type: "ack", id: store.commands.session!.id, stage: "done" });
    model.fire("comm_live_update");
    model.deliver(everything);
    expect(model.kinds("command")).toHaveLength(1);
  });
});

describe("a connection that breaks", () => {
  test("is told of after a while, and what was missed is asked for when it is back", () => {
    const { model, store } = connected();
    model.kernel.becomes("connecting");
    vi.advanceTimersByTime(2_900);
    expect(store.link).toBe("live");
    vi.advanceTimersByTime(200);
    expect(store.link).toBe("broken");
    store.commands.request("close");
    vi.advanceTimersByTime(600_000);
    expect(store.link).toBe("broken");
    const syncs = model.kinds("sync").length;
    model.kernel.becomes("connected");
    expect(model.kinds("sync")).toHaveLength(syncs + 1);
    model.deliver(everything);
    expect(store.link).toBe("live");
    expect(model.kinds("command")).toHaveLength(2);
  });

  test("is not told of when it mends at once, but what was missed in it is asked for", () => {
    const { model, store } = connected();
    const syncs = model.kinds("sync").length;
    model.kernel.becomes("connecting");
    vi.advanceTimersByTime(1_000);
    model.kernel.becomes("connected");
    expect(model.kinds("sync")).toHaveLength(syncs + 1);
    vi.advanceTimersByTime(2_500);
    expect(store.link).toBe("live");
  });

  test("leaves a kernel that does not answer afterwards to be asked again", () => {
    const { model, store } = connected();
    model.kernel.becomes("disconnected");
    vi.advanceTimersByTime(10_000);
    model.kernel.becomes("connected");
    vi.advanceTimersByTime(3_100);
    expect(store.link).toBe("silent");
  });
});

describe("where JupyterLab's extension can end a session", () => {
  const END_SESSION = Symbol.for("qsession-widgets.end-session.2");
  const page = globalThis as unknown as Record<symbol, unknown>;
  let asked: [action: string, id: string][];
  type Answer = { code: EndCode; cancelled?: number; finishing?: number };
  let answer: (said: Answer | Error) => void;

  beforeEach(() => {
    asked = [];
    page[END_SESSION] = (action: string, id: string) => {
      asked.push([action, id]);
      return new Promise((resolve, reject) => {
        answer = (said) => (said instanceof Error ? reject(said) : resolve(said));
      });
    };
  });
  afterEach(() => {
    delete page[END_SESSION];
  });

  const ack = (model: Model, store: SessionStore, stage: "acknowledged" | "done" | "failed") =>
    model.deliver({ type: "ack", id: store.commands.session!.id, stage, message: "Said." });
  const answers = async (said: Answer | Error) => {
    answer(said);
    await vi.advanceTimersByTimeAsync(0);
  };

  test("a kernel that is gone is not asked at all", async () => {
    const { model, store } = connected();
    model.fire("comm_live_update");
    store.commands.request("close");
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual([["close", "s1"]]);
    expect(model.kinds("command")).toHaveLength(0);
    await answers({ code: "closed" });
    expect(store.commands.session!.server).toMatchObject({ stage: "done", why: "lost" });
    // nobody else tells, so the panel goes by it
    expect(store.snapshot.state).toBe("closed");
    expect(store.snapshot.closed_at).toBeCloseTo(store.now());
  });

  test("a page that does not reach its kernel goes there, too", async () => {
    const { model, store } = connected();
    model.kernel.becomes("disconnected");
    await vi.advanceTimersByTimeAsync(3_000);
    store.commands.request("cancel");
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual([["cancel", "s1"]]);
    expect(store.commands.session!.server).toMatchObject({ stage: "asked", why: "broken" });
    // it comes back before the answer: then it hears of it as well
    model.kernel.becomes("connected");
    model.deliver(everything);
    expect(model.kinds("command")).toHaveLength(1);
    await answers({ code: "cancelled" });
    ack(model, store, "failed");
    expect(isDone(store.commands.session!)).toBe(true);
    expect(store.snapshot.state).toBe("active");
  });

  test("a kernel that takes no notice has two seconds", async () => {
    const { model, store } = connected();
    store.commands.request("close");
    await vi.advanceTimersByTimeAsync(1_900);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(asked).toEqual([["close", "s1"]]);
    expect(store.commands.session!.server!.why).toBe("busy");
    await answers({ code: "closed" });
    // what it says when its cell has ended is old news
    for (const stage of ["acknowledged", "failed", "done"] as const) ack(model, store, stage);
    expect(store.commands.session).toMatchObject({ stage: "waiting", message: "" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
  });

  test("a kernel that has taken the request is left to it, unless it goes", async () => {
    const { model, store } = connected();
    store.commands.request("close");
    ack(model, store, "acknowledged");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([]);
    model.fire("comm_live_update");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toEqual([["close", "s1"]]);
  });

  test("the kernel's answer counts when it is there first", async () => {
    const { model, store } = connected();
    store.commands.request("close");
    await vi.advanceTimersByTimeAsync(2_000);
    ack(model, store, "failed");
    expect(isOver(store.commands.session!)).toBe(false);
    await answers(new Error("No."));
    expect(isOver(store.commands.session!)).toBe(true);
    expect(isDone(store.commands.session!)).toBe(false);
  });

  test("a server that cannot leaves it to the kernel, or gives the buttons back", async () => {
    const { model, store } = connected();
    store.commands.request("close");
    await vi.advanceTimersByTimeAsync(2_000);
    await answers(new Error("The server has no account."));
    expect(store.commands.session).toMatchObject({
      stage: "waiting",
      server: { stage: "failed", message: "The server has no account." },
    });
    ack(model, store, "done");
    expect(store.commands.session!.stage).toBe("done");
    model.fire("comm_live_update");
    store.commands.request("cancel");
    await vi.advanceTimersByTimeAsync(0);
    await answers(new Error("No."));
    expect(store.commands.session!.stage).toBe("failed");
  });

  test.each([
    ["closed", "closed"],
    ["already_closed", "closed"],
    ["accepted", "active"],
    ["closing", "active"],
  ] as const)("the code %s decides that it is %s, whatever runs in it", async (code, state) => {
    const { model, store } = connected();
    model.deliver({ type: "jobs", revision: 2, jobs: [["j1", "sampler", "r", 0]] });
    model.fire("comm_live_update");
    store.commands.request("close");
    await vi.advanceTimersByTimeAsync(0);
    await answers({ code });
    expect(store.snapshot).toMatchObject({ state, accepting_jobs: false });
  });

  test("the sentence follows from the code, in a batch too", async () => {
    const { model, store } = connected();
    const progress = () => commandProgress(store.commands.session!, "batch", "s1", store.link);
    store.commands.request("cancel");
    const { id } = store.commands.session!;
    const words = "The words of a kernel in another language.";
    const result = { code: "cancelled", cancelled: 3, finishing: 1 } as const;
    model.deliver({ type: "ack", id, stage: "done", message: words, ...result });
    expect(progress()).toBe("Batch cancelled: 3 queued jobs cancelled; 1 job finishes first.");
    model.fire("comm_live_update");
    store.commands.request("close");
    await vi.advanceTimersByTimeAsync(0);
    await answers({ code: "closed" });
    expect(progress()).toBe("The kernel is gone, so the Jupyter server closed the batch.");
    store.commands.request("close");
    await vi.advanceTimersByTimeAsync(0);
    await answers({ code: "accepted" });
    expect(progress()).toContain("was asked. Batch closing: the service accepted that");
  });

  test("jobs are their kernel's to cancel", async () => {
    const { model, store } = connected();
    store.commands.request("cancel_job", "j1");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([]);
    expect(model.kinds("command")).toHaveLength(1);
    expect(store.commands.jobs.get("j1")!.stage).toBe("waiting");
  });

  test("jobs that run are finished first, and queued ones are lost by cancelling", async () => {
    const run: FromKernel = {
      type: "jobs",
      revision: 2,
      jobs: [
        ["j1", "sampler", "r", 0],
        ["j2", "sampler", "q", 1],
      ],
    };
    const { model, store } = connected();
    model.deliver(run);
    model.fire("comm_live_update");
    store.commands.request("cancel");
    await vi.advanceTimersByTimeAsync(0);
    await answers({ code: "cancelled", cancelled: 1, finishing: 1 });
    expect(store.snapshot).toMatchObject({ state: "active", accepting_jobs: false });
    expect(store.snapshot.jobs.map((job) => job.status)).toEqual(["running", "cancelled"]);
    // a kernel that is there after all knows better
    model.deliver({ type: "facts", facts: { queue_length: 0 } });
    expect(store.snapshot.accepting_jobs).toBe(true);
  });
});

test("the reader's price is every panel's at once", () => {
  const { store } = connected();
  const { store: other } = connected();
  const redrawn = vi.fn();
  other.subscribe(redrawn);
  store.setPrice(0.8);
  expect(other.snapshot.service.price_per_second).toBe(0.8);
  expect(redrawn).toHaveBeenCalled();
  other.setPrice(null);
  expect(store.ownPrice).toBe(null);
  other.dispose();
  redrawn.mockClear();
  store.setPrice(0.8);
  store.setPrice(null);
  expect(redrawn).not.toHaveBeenCalled();
});

test("a session that is over for good is not listened for any more", () => {
  const { model, store } = connected();
  const over = { state: "closed", poll_interval: 0 } as const;
  model.deliver({ type: "facts", facts: over });
  expect(model.kernel.slots).toEqual([]);
  expect(store.link).toBe("live");
});

test("nothing is left behind by a store that is disposed of", () => {
  const { model, store } = connected();
  store.commands.request("close");
  model.kernel.becomes("connecting");
  store.dispose();
  expect(vi.getTimerCount()).toBe(0);
  expect(model.kernel.slots).toEqual([]);
  model.deliver(everything);
  expect(vi.getTimerCount()).toBe(0);
});

import { describe, expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import type { Overview, Service, Snapshot, Workload } from "#shared/serverTypes";
import { costWords, figures, totalsLine } from "../src/shared/messages/totals";
import { beginnings, burn, totals } from "../src/shared/totals";
import { GROUPS, headingOf, placed } from "../src/lab/state/groups";

/** A Wednesday noon. */
const NOON = new Date(2026, 10, 25, 12).getTime() / 1000;
const info = {
  ...vectors.default_snapshot.service,
  kind: "ibm",
  plan: "payg",
  price_per_second: 1.6,
  charged: true,
} as Snapshot["service"];
const emulated = { ...info, kind: "local", charged: false } as Snapshot["service"];
const ago = (seconds: number) => NOON - seconds;
const session = (id: string, fields: Partial<Snapshot> = {}, notebook = ""): Workload => ({
  service: "ibm",
  snapshot: {
    ...vectors.default_snapshot,
    service: info,
    session_id: id,
    mode: "dedicated",
    answered_at: NOON,
    jobs: [],
    ...fields,
  } as Snapshot,
  opened_by: {
    notebook,
    label: notebook,
    kernel_id: notebook && `kernel of ${notebook}`,
    kernel: "idle",
    bound: true,
    name: "",
    on_exit: "close",
  },
  also: [],
  events: [],
});
const active = (seconds: number): Partial<Snapshot> => ({
  state: "active",
  opened_at: ago(seconds),
  started_at: ago(seconds),
  active_periods: [[ago(seconds), null]],
});
const closed = (ended: number, used: number): Partial<Snapshot> => ({
  state: "closed",
  started_at: ended - used,
  closed_at: ended,
  usage_seconds: used,
  usage_final: true,
});
const overview = (workloads: Workload[], spent: Overview["spent"] = []) =>
  ({ services: [], workloads, spent }) as unknown as Overview;
const noon = () => NOON;

describe("what all sessions cost", () => {
  test("now: those that are active, and not those that wait or whose timeout has passed in silence", () => {
    const silent = { ...active(500), last_job_completed: ago(400), interactive_ttl: 60 };
    const all = [
      session("a", active(10)),
      session("b", active(20)),
      session("c", {
        state: "inactive",
        started_at: ago(50),
        active_periods: [[ago(50), ago(40)]],
      }),
      session("d", { ...silent, answered_at: ago(390) }),
      session("e", { ...active(10), service: emulated }),
    ];
    expect(burn(all, noon)).toEqual({
      billing: 2,
      emulated: 1,
      perSecond: { charged: 3.2, emulated: 1.6, unpriced: 0 },
    });
  });
  test("today and this week: by the day of its end, open ones today, older ones as the server tells", () => {
    const { day, week } = beginnings(NOON);
    expect(new Date(week * 1000).getDay()).toBe(1);
    const found = totals(
      overview(
        [
          session("open", active(10)),
          session("today", closed(day + 1, 100)),
          session("yesterday", closed(day - 1, 50)),
          session("emulated", { ...closed(day + 1, 10), service: emulated }),
        ],
        [
          [week + 1, 7, true],
          [week - 1, 1000, true],
          [day + 1, null, true],
        ],
      ),
      noon,
      NOON,
    );
    expect(found.today).toEqual({ charged: 16 + 160, emulated: 16, unpriced: 1 });
    expect(found.week).toEqual({ charged: 16 + 160 + 80 + 7, emulated: 16, unpriced: 1 });
    expect(totalsLine(found)).toBe("$1.60/s · ≈ $176 + 1 without a price today");
  });
  test("without a price: never nothing, and never what the others come to alone", () => {
    const unpriced = { ...info, plan: "unknown", price_per_second: null } as Snapshot["service"];
    const { day } = beginnings(NOON);
    const told = (...all: Workload[]) => {
      const found = totals(overview(all), noon, NOON);
      const said = figures(found, []).map(({ value, note }) => `${value} ${note}`);
      return [totalsLine(found), ...said.slice(0, 2)];
    };
    const over = session("over", { ...closed(day + 1, 100), service: unpriced });
    expect(told(over)).toEqual([
      "1 without a price today",
      "$0.00/s nothing is billed",
      "unknown today, 1 without a price",
    ]);
    const runs = session("runs", { ...active(10), service: unpriced });
    expect(told(runs, session("a", active(10)))).toEqual([
      "$1.60/s + 1 without a price · ≈ $16.00 + 1 without a price today",
      "$1.60/s 2 billing now, 1 without a price",
      "≈ $16.00 today, 1 without a price",
    ]);
    expect(told(runs, over)[0]).toBe("1 active · 2 without a price today");
    const emulation = session("e", { ...active(10), service: emulated });
    expect(told(over, emulation)[2]).toBe("unknown today, 1 without a price");
  });
  test("without a price where nothing was used, or where usage is free, it is nothing", () => {
    const free = { ...info, plan: "open", price_per_second: null } as Snapshot["service"];
    const { day } = beginnings(NOON);
    const batch = session("free", { ...closed(day + 1, 100), mode: "batch", service: free });
    const unpriced = { ...info, plan: "unknown", price_per_second: null } as Snapshot["service"];
    const unused = session("unused", { state: "open", opened_at: NOON, service: unpriced });
    // of what ended before, the server says so itself
    const all = overview([batch, unused], [[day + 1, 0, true]]);
    expect(totalsLine(totals(all, noon, NOON))).toBe("$0.00 today");
  });
  test("what is emulated is said to be so, and a quota where the service tells of one", () => {
    const shown = totals(
      overview([session("e", { ...active(10), service: emulated })]),
      noon,
      NOON,
    );
    const services = [
      { key: "ibm", info: { ...info, plan: "open" }, quota_left: 372 },
      { key: "local", info: emulated, quota_left: null },
    ] as Service[];
    expect(figures(shown, services).map(({ value, note }) => `${value} ${note}`)).toEqual([
      "$1.60/s now, if on IBM",
      "≈ $16.00 today, if on IBM",
      "≈ $16.00 this week, if on IBM",
      "6 m 12 s Open Plan left",
    ]);
    expect(totalsLine(shown)).toBe("would be $1.60/s · would be ≈ $16.00 today");
    const nothing = totals(overview([]), noon, NOON);
    expect(figures(nothing, [])[0]).toMatchObject({ value: "$0.00/s", note: "nothing is billed" });
    expect(totalsLine(nothing)).toBe("$0.00 today");
  });
  test("of one session", () => {
    expect(costWords(session("a", active(10)).snapshot, NOON)).toBe("≈ $16.00");
    expect(costWords(session("a", closed(NOON, 10)).snapshot, NOON)).toBe("$16.00");
    expect(costWords(session("a", { state: "open" }).snapshot, NOON)).toBe("$0.00");
    const free = { ...active(10), service: { ...info, price_per_second: null } };
    expect(costWords(session("a", free).snapshot, NOON)).toBe("");
  });
});

describe("the order of the side panel", () => {
  const place = { path: "a.ipynb", kernelId: "kernel of a.ipynb" };
  const mine = session("mine", { state: "inactive" }, "a.ipynb");
  const others = [
    session("waits", { state: "open" }, "b.ipynb"),
    session("bills", active(10), "c.ipynb"),
    session("over", closed(NOON, 10), "a.ipynb"),
  ];
  const ids = (listed: ReturnType<typeof placed>) =>
    listed.map(({ workload, group }) => `${workload.snapshot.session_id}: ${group}`);

  test("this notebook's, what bills elsewhere, what waits; what is over is not among them", () => {
    const listed = placed([...others, mine], place, [], []);
    expect(ids(listed)).toEqual(["mine: here", "bills: active", "waits: waiting"]);
    expect(GROUPS.map((group) => headingOf(group, [others[1]!], false))).toEqual([
      "This notebook",
      "Billing elsewhere",
      "Waiting, free",
    ]);
    const free = session("e", { ...active(1), service: emulated });
    expect(headingOf("active", [free], true)).toBe("Active");
  });
  test("while something is asked every row keeps its place, even when it is over", () => {
    const before = placed([...others, mine], place, [], []);
    const bills = session("bills", closed(NOON, 10), "c.ipynb");
    const waits = session("waits", active(1), "b.ipynb");
    const fresh = session("fresh", active(0), "d.ipynb");
    const listed = placed([waits, fresh, bills, mine], place, [bills], before);
    expect(ids(listed)).toEqual(["mine: here", "bills: active", "fresh: active", "waits: waiting"]);
    // even when nobody lists it any more
    expect(ids(placed([waits, mine], place, [bills], before))[1]).toBe("bills: active");
    expect(ids(placed([waits, mine], place, [], listed))).toEqual(["mine: here", "waits: active"]);
  });
});

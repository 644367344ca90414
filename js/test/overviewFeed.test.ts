import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RequestFailed } from "#shared/messages/outcomes";
import type { Overview } from "#shared/serverTypes";
import { Feed, type News } from "../src/lab/state/overviewFeed";

/** A Jupyter server that answers at once, and a page that can be hidden. */
let answers: () => Promise<Overview>;
let asked: { at: number; since: number | null; hold: number }[];
let page: EventTarget & { hidden: boolean };
let news: News[];
let feed: Feed;

const START = 1_000_000;
const overview = (revision: number): Overview => ({
  schema: 1,
  revision,
  now: 0,
  services: [],
  workloads: [],
  kernels: {},
});
const down = () => Promise.reject(new RequestFailed("down", "No answer."));

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  [asked, news] = [[], []];
  answers = () => Promise.resolve(overview(asked.length));
  page = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", new EventTarget());
  // a page without the locks that choose a leader polls for itself
  vi.stubGlobal("navigator", {});
  feed = new Feed(
    {
      baseUrl: "/",
      overview: (since, hold) => {
        asked.push({ at: Date.now() - START, since, hold });
        return answers();
      },
    },
    (each) => news.push(each),
  );
});
afterEach(() => {
  feed.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("a visible page polls on, from the revision that it has", async () => {
  feed.start();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked.slice(0, 3).map(({ since, hold }) => [since, hold])).toEqual([
    [null, 0],
    [1, 25],
    [2, 25],
  ]);
  expect(asked[2]!.at - asked[1]!.at).toBe(250);
});

test("a hidden page polls seldom, and at once when it becomes visible", async () => {
  page.hidden = true;
  feed.start();
  await vi.advanceTimersByTimeAsync(29_000);
  expect(asked).toHaveLength(1);
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(251);
  expect(asked).toHaveLength(2);
});

test("a server that is down is asked less and less often, and what was known stays", async () => {
  // the longest of the intervals that the back-off chooses among
  vi.spyOn(Math, "random").mockReturnValue(0.999);
  feed.start();
  await vi.advanceTimersByTimeAsync(0);
  answers = down;
  await vi.advanceTimersByTimeAsync(60_000);
  const gaps = asked.slice(2).map(({ at }, i) => at - asked[i + 1]!.at);
  expect(gaps).toEqual(gaps.toSorted((a, b) => a - b));
  expect([gaps[0]! <= 1_000, gaps.at(-1)]).toEqual([true, 8_000]);
  expect(news.at(-1)).toMatchObject({ failure: { kind: "down" }, overview: { revision: 1 } });
  answers = () => Promise.resolve(overview(1));
  feed.poke();
  await vi.advanceTimersByTimeAsync(251);
  expect(news.at(-1)!.failure).toBeNull();
});

test("a server without the extension is asked once a minute, unless somebody wants something", async () => {
  answers = () => Promise.reject(new RequestFailed("missing", "Not enabled."));
  feed.start();
  await vi.advanceTimersByTimeAsync(59_000);
  expect(asked).toHaveLength(1);
  feed.poke();
  feed.poke();
  await vi.advanceTimersByTimeAsync(251);
  expect(asked).toHaveLength(2);
});

test("nothing is asked twice at a time, nor after the end", async () => {
  answers = () => new Promise(() => undefined);
  feed.start();
  await vi.advanceTimersByTimeAsync(0);
  feed.poke();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toHaveLength(1);
  feed.stop();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toHaveLength(1);
});

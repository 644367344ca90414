import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ServerReachability } from "../src/panel/state/serverReachability";

/** A Jupyter server that can be gone, and a page that can be hidden. */
let answers: () => Promise<Response>;
let asked: string[];
let page: EventTarget & { hidden: boolean };
let browser: EventTarget;

class Asked {
  constructor(readonly url: string) {}
}

function reach(): ServerReachability {
  return new ServerReachability({
    baseUrl: "http://server/hub/",
    Request: Asked as unknown as typeof Request,
    fetch: (request) => {
      asked.push(request.url);
      return answers();
    },
  });
}

const fine = () => Promise.resolve({ status: 200 } as Response);
const gone = () => Promise.reject(new TypeError("Failed to fetch"));

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answers = fine;
  page = Object.assign(new EventTarget(), { hidden: false });
  browser = new EventTarget();
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", browser);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a server that is asked whether it is there", () => {
  test("is asked seldom, under its base URL, and only while somebody listens", async () => {
    const unwatch = reach().watch(() => {});
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual(Array(6).fill("http://server/hub/api"));
    unwatch();
    expect(vi.getTimerCount()).toBe(0);
    browser.dispatchEvent(new Event("offline"));
    expect(asked).toHaveLength(6);
  });

  test("is lost after two questions without an answer, and found with the first answer", async () => {
    const server = reach();
    const told = vi.fn();
    server.watch(told);
    answers = gone;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.reached).toBe(true);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(server.reached).toBe(false);
    answers = fine;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(server.reached).toBe(true);
    expect(told).toHaveBeenCalledTimes(2);
  });

  test("is there when it answers with whatever it is that is its own", async () => {
    const server = reach();
    server.watch(() => {});
    for (const [status, reached] of [
      [403, true],
      [500, true],
      [424, false],
      [503, false],
      [200, true],
    ] as const) {
      answers = () => Promise.resolve({ status } as Response);
      await vi.advanceTimersByTimeAsync(20_000);
      expect([status, server.reached]).toEqual([status, reached]);
    }
  });

  test("is asked at once when the browser says that the network went", async () => {
    const server = reach();
    server.watch(() => {});
    answers = gone;
    browser.dispatchEvent(new Event("offline"));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(server.reached).toBe(false);
  });

  test("is left alone by a page that nobody sees, until it is seen again", async () => {
    reach().watch(() => {});
    page.hidden = true;
    await vi.advanceTimersByTimeAsync(10_000);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveLength(0);
    page.hidden = false;
    page.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(2);
  });
});

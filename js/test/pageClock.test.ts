import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EVERY_MS, everyTick, pageClock } from "#shared/pageClock";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_100 });
  vi.stubGlobal("document", { hidden: false, addEventListener: () => undefined });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what is drawn between two ticks shows the instant of the first", () => {
  const drawn: number[][] = [[], []];
  const stops = drawn.map((of) => everyTick(() => of.push(pageClock().instant())));
  vi.advanceTimersByTime(EVERY_MS + 50);
  const held = pageClock().instant();
  vi.advanceTimersByTime(EVERY_MS / 5);
  expect(pageClock().instant()).toBe(held);
  vi.advanceTimersByTime(3 * EVERY_MS);
  expect(drawn[0]!.length).toBeGreaterThan(3);
  expect(drawn[1]).toEqual(drawn[0]);
  expect(drawn[0]).toContain(held);
  for (const stop of stops) stop();
  expect(vi.getTimerCount()).toBe(0);
});

test("a member is drawn at the first tick after it is due, and a clock that was set back is followed", () => {
  const drawn: number[] = [];
  const member = { delay: () => 2 * EVERY_MS + 1, tick: () => drawn.push(pageClock().instant()) };
  const stop = pageClock().add(member);
  const started = Date.now();
  vi.advanceTimersByTime(4 * EVERY_MS);
  expect(drawn.length).toBe(1);
  expect(drawn[0]! - started).toBeGreaterThan(2 * EVERY_MS);
  expect(drawn[0]! - started).toBeLessThanOrEqual(3 * EVERY_MS + 1);
  stop();
  vi.setSystemTime(500_000);
  expect(pageClock().instant()).toBe(500_000);
});

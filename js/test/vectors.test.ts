import { expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import {
  emptyTimeout,
  headline,
  idleTimeout,
  interactiveTimeout,
  maximumTime,
  pendingJobs,
  usage,
  type Countdown,
} from "#shared/countdowns";
import type { SessionSnapshot } from "#shared/snapshot.gen";

interface Case {
  name: string;
  snapshot: object;
  jobs: object[];
  now: number;
  expect: Record<string, unknown>;
}

export function readCase(each: Case): SessionSnapshot {
  const jobs = each.jobs.map((job) => ({ ...vectors.default_job, ...job }));
  return { ...vectors.default_snapshot, ...each.snapshot, jobs } as unknown as SessionSnapshot;
}

const asList = (countdown: Countdown | null) =>
  countdown && [countdown.remaining, countdown.running, countdown.ends_at];

const close = (value: unknown) =>
  Array.isArray(value)
    ? value.map((part) => (typeof part === "number" ? expect.closeTo(part, 6) : part))
    : value;

test.each(vectors.cases as unknown as Case[])("$name", (each) => {
  const snapshot = readCase(each);
  const used = usage(snapshot, each.now);
  const found: Record<string, unknown> = {
    interactive: asList(interactiveTimeout(snapshot, each.now)),
    maximum: asList(maximumTime(snapshot, each.now)),
    empty: asList(emptyTimeout(snapshot, each.now)),
    idle_close: asList(idleTimeout(snapshot, each.now)),
    usage: [used.total, used.qpu, used.classical, used.idle, used.cost, used.final],
    headline: headline(snapshot),
    pending: pendingJobs(snapshot).length,
  };
  for (const [name, expected] of Object.entries(each.expect)) {
    expect(found[name], name).toEqual(close(expected));
  }
});

import { expect, test } from "vitest";
import vectors from "../../tests/vectors/countdowns.json" with { type: "json" };
import said from "../../tests/vectors/notices.json" with { type: "json" };
import outcomes from "../../tests/vectors/outcomes.json" with { type: "json" };
import { formatParts, formatShares } from "#shared/formatting";
import { HEADLINES, reusedWords } from "#shared/messages/labels";
import { costsWords, errorWords, waysWords } from "#shared/messages/forecast";
import { notices } from "#shared/messages/notices";
import { queueAhead } from "#shared/suggestions";
import { endReason, ended } from "#shared/messages/outcomes";
import {
  emptyTimeout,
  idleTimeout,
  interactiveTimeout,
  jobDollars,
  maximumTime,
  pendingJobs,
  phase,
  quotaLeft,
  reused,
  shownParts,
  usage,
  type Countdown,
} from "#shared/metrics";
import { endResult, type EndResult } from "#shared/serverTypes";
import type { SessionSnapshot } from "#shared/snapshot.gen";

interface Case {
  name: string;
  snapshot: object;
  jobs: object[];
  now: number;
  phase?: string;
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

const queueOf = (snapshot: SessionSnapshot, now: number) => {
  const ahead = queueAhead(snapshot, now);
  return ahead && [ahead.jobs, ahead.seconds];
};

test.each(vectors.cases as unknown as Case[])("$name", (each) => {
  const snapshot = readCase(each);
  const used = usage(snapshot, each.now);
  const parts = shownParts(snapshot, used, each.now);
  const exact = [used.qpu, used.classical, used.idle] as const;
  const taken = reused(snapshot);
  const found: Record<string, unknown> = {
    interactive: asList(interactiveTimeout(snapshot, each.now)),
    maximum: asList(maximumTime(snapshot, each.now)),
    empty: asList(emptyTimeout(snapshot, each.now)),
    idle_close: asList(idleTimeout(snapshot, each.now)),
    usage: [used.total, used.qpu, used.classical, used.idle, used.cost, used.final],
    causes: [
      formatParts(parts, used.total),
      formatShares(used.final ? exact : parts, used.cost ?? 0),
    ],
    at_most: used.at_most,
    told: used.told,
    queue: queueOf(snapshot, each.now),
    quota_left: quotaLeft(snapshot, used),
    headline: HEADLINES[phase(snapshot)],
    job_costs: snapshot.jobs.map((job) => jobDollars(job, snapshot)),
    pending: pendingJobs(snapshot).length,
    reused: taken && reusedWords(taken, true),
  };
  for (const [name, expected] of Object.entries(each.expect)) {
    expect(found[name], name).toEqual(close(expected));
  }
});

const phased = (vectors.cases as unknown as Case[]).filter((each) => each.phase !== undefined);

test.each(phased)("the phase of $name", (each) => {
  expect(phase(readCase(each))).toBe(each.phase);
});

test("every phase has a case and a label", () => {
  expect(new Set(phased.map((each) => each.phase))).toEqual(new Set(Object.keys(HEADLINES)));
});

test.each(outcomes.cases)("$sentence", ({ result, about, sentence }) => {
  const { action, ...answer } = result as EndResult;
  const { word, session_id: id } = about as { word?: string; session_id?: string };
  expect(ended(endResult(action, answer, answer.job_id)!, word, id)).toBe(sentence);
});

test.each(outcomes.ends)("an end: $words", ({ snapshot, now, words }) => {
  const ended = { ...vectors.default_snapshot, jobs: [], ...snapshot };
  expect(endReason(ended as unknown as SessionSnapshot, now)).toBe(words);
});

test.each(said.cases)("$sentence", ({ snapshot, local, sentence }) => {
  const service = {
    ...vectors.default_snapshot.service,
    price_per_second: 1.6,
    charged: !local,
  };
  const whole = readCase({
    name: "",
    snapshot: { ...snapshot, service },
    jobs: [],
    now: 0,
    expect: {},
  });
  expect(notices(whole, 1000)).toBe(sentence);
});

test.each(outcomes.forecasts)("$words", ({ ways, ratios, plan, price, words, error }) => {
  const middle = ratios[0] ?? 1;
  const bounds = ratios.length < 3 ? [middle / 1.5, middle * 1.5] : [1 / 1.1, 1.1];
  const forecast = [...ways, ratios.length, ...bounds];
  expect(waysWords(forecast, { plan, price_per_second: price })).toBe(words);
  expect(errorWords(forecast)).toBe(error);
  // the short line has the same amounts, and says how sure they are first
  const short = costsWords(forecast, { plan, price_per_second: price });
  expect(short).toMatch(/^an estimate, right within (a factor of 1.5|0.91 to 1.10 of it): /);
  for (const [amount] of words.matchAll(/\$[\d.]+ to \$[\d.]+/g)) expect(short).toContain(amount);
});

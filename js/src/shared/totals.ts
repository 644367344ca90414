// Sums over all sessions: what they cost each second now, today and this week. Every surface shows these.
import { usage, type Usage } from "./metrics";
import type { Overview, Snapshot, Workload } from "./serverTypes";
import type { ServiceInfo } from "./snapshot.gen";

/** US dollars: charged ones, and those that emulated sessions would be charged on IBM. */
export interface Dollars {
  charged: number;
  emulated: number;
  /** Sessions that are charged at a price that is not known: they are in no sum. */
  unpriced: number;
}

/** What a session has cost; null where it was charged at a price that is not known. */
export interface Cost {
  cost: number | null;
  charged: boolean;
}

export interface Burn {
  /** Sessions whose cost grows at this moment. */
  billing: number;
  emulated: number;
  perSecond: Dollars;
}

export interface Totals {
  burn: Burn;
  today: Dollars;
  week: Dollars;
}

/** Gives the time by a service's clock. */
export type Clock = (service: string) => number;

/** Seconds ahead at which an amount is compared with that of now. */
const AHEAD = 0.5;

/** Whether its usage grows at this moment, by the same arithmetic as the usage that is shown. */
export function bills(snapshot: Snapshot, now: number): boolean {
  if (snapshot.state !== "active") return false;
  return usage(snapshot, now + AHEAD).total > usage(snapshot, now).total;
}

export function burn(workloads: readonly Workload[], clock: Clock): Burn {
  const active = workloads
    .filter(({ service, snapshot }) => bills(snapshot, clock(service)))
    .map(({ snapshot }) => snapshot.service);
  const billing = active.filter(({ charged }) => charged).length;
  return {
    billing,
    emulated: active.length - billing,
    perSecond: sumOf(active.map((info) => ({ cost: priceOf(info), charged: info.charged }))),
  };
}

/** When it ended, by the reader's clock; null while it is open. */
export function endedAt({ snapshot }: Workload, now: number, reader: number): number | null {
  if (snapshot.state !== "closed" || snapshot.closed_at === null) return null;
  return reader - (now - snapshot.closed_at) / Math.max(1, snapshot.service.speed);
}

/** The beginning of the reader's day, and of the week that it belongs to, which begins on Monday. */
export function beginnings(reader: number): { day: number; week: number } {
  const day = new Date(reader * 1000);
  day.setHours(0, 0, 0, 0);
  const week = new Date(day);
  week.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return { day: day.getTime() / 1000, week: week.getTime() / 1000 };
}

function usageOf(snapshot: Snapshot, now: number): Usage {
  return usage(snapshot, snapshot.state === "closed" ? (snapshot.closed_at ?? now) : now);
}

/** What a session has cost so far, or came to; null without a price. */
export function costOf(snapshot: Snapshot, now: number): number | null {
  return usageOf(snapshot, now).cost;
}

/** Dollars a second; the Open Plan has no price because its usage is free. */
function priceOf({ plan, price_per_second: price }: ServiceInfo): number | null {
  return price ?? (plan === "open" ? 0 : null);
}

/** What it adds to a sum: nothing where nothing was used, whatever the price. */
export function shareOf(snapshot: Snapshot, now: number): Cost {
  const { cost, total } = usageOf(snapshot, now);
  const { service } = snapshot;
  return { cost: cost ?? (total === 0 ? 0 : priceOf(service)), charged: service.charged };
}

export function sumOf(of: readonly Cost[]): Dollars {
  const sum: Dollars = { charged: 0, emulated: 0, unpriced: 0 };
  for (const { cost, charged } of of) {
    if (charged && cost === null) sum.unpriced += 1;
    else sum[charged ? "charged" : "emulated"] += cost ?? 0;
  }
  return sum;
}

/** The sums. A session counts on the day on which it ended; one that is open counts today. */
export function totals(overview: Overview, clock: Clock, reader: number): Totals {
  const since = beginnings(reader);
  const spent = (overview.spent ?? []).map(([at, cost, charged]) => ({ at, cost, charged }));
  const listed = overview.workloads.map((workload) => {
    const { service, snapshot } = workload;
    const now = clock(service);
    const at = endedAt(workload, now, reader) ?? reader;
    return { at, ...shareOf(snapshot, now) };
  });
  const week = [...listed, ...spent].filter(({ at }) => at >= since.week);
  return {
    burn: burn(overview.workloads, clock),
    today: sumOf(week.filter(({ at }) => at >= since.day)),
    week: sumOf(week),
  };
}

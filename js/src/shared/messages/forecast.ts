// Words for the forecast of the work so far on IBM, the same as in qsession_widgets/messages/forecast.py.
import { t } from "../translation";
import { dollarsOf, formatDuration, formatMoney, plural } from "../formatting";
import type { ServiceInfo } from "../snapshot.gen";

/**
 * Bounds of seconds, of usage and of jobs that would fail, of a session, a batch and job mode; then the number of
 * sessions on IBM that forecasts were checked against, and the bounds of what is forecast as 1.
 */
export type Forecast = readonly number[];

/** How many sessions on IBM a forecast is checked against before its range follows from them. */
const CALIBRATED_BY = 3;
const SPREAD = 1.5;

type Price = Pick<ServiceInfo, "plan" | "price_per_second">;

interface Way {
  name: string;
  seconds: string;
  cost: string;
  late: string;
}

function ways(forecast: Forecast, { plan, price_per_second: price }: Price): Way[] {
  const range = (low: number, high: number, words: (bound: number) => string) =>
    [...new Set([low, high].map(words))].join(t` to `);
  const money = (seconds: number) => formatMoney(dollarsOf(seconds, price) ?? 0);
  return [t`session`, t`batch`, t`job mode`].flatMap((name, at) => {
    const [low, high, least, most, ...fail] = forecast.slice(6 * at, 6 * at + 6) as Bounds;
    if (plan === "open" && at === 0) return [];
    const uses = range(least, most, price === null ? formatDuration : money);
    const cost = price === null ? t`uses ${uses}` : uses;
    return [{ name, seconds: range(low, high, formatDuration), cost, late: lateWords(...fail) }];
  });
}

type Bounds = [number, number, number, number, number, number];

function lateWords(low: number, high: number): string {
  if (high === 0) return "";
  const jobs = plural(high, "job");
  if (low === high) return t` (about ${jobs} would fail)`;
  return low ? t` (${low} to ${jobs} would fail)` : t` (up to ${jobs} would fail)`;
}

/** The cost of each way in few words, the error first: `an estimate, right within a factor of 1.5: session $35.20 to $80.00 · …`. */
export function costsWords(forecast: Forecast, service: Price): string {
  const [checked, low, high] = forecast.slice(18) as [number, number, number];
  const error =
    checked < CALIBRATED_BY
      ? t`an estimate, right within a factor of ${SPREAD}`
      : t`an estimate, right within ${low.toFixed(2)} to ${high.toFixed(2)} of it`;
  return `${error}: ${ways(forecast, service)
    .map(({ name, cost }) => `${name} ${cost}`)
    .join(" · ")}`;
}

/** What the work so far takes and costs on IBM: `session closed at its last result 22 s to 51 s, $35.20 to $80.00 · batch …`. */
export function waysWords(forecast: Forecast, service: Price): string {
  return ways(forecast, service)
    .map(({ name, seconds, cost, late }) => {
      const closed = name === t`session` ? t` closed at its last result` : "";
      return `${name}${closed} ${seconds}, ${cost}${late}`;
    })
    .join(" · ");
}

/** The error of forecasts and of a device's time by IBM's estimate. */
export function errorWords(forecast: Forecast): string {
  const [checked, low, high] = forecast.slice(18) as [number, number, number];
  const within = t`assumed right within a factor of ${SPREAD}`;
  const count = t`${plural(checked, "session")} on IBM`;
  if (checked === 0) return t`never checked against IBM, ${within}`;
  if (checked < CALIBRATED_BY) return t`checked against ${count} only, ${within}`;
  return t`by ${count}, assumed right within ${low.toFixed(2)} to ${high.toFixed(2)} of it`;
}

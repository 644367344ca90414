// Words for the forecast of the work so far on IBM, the same as in qsession_widgets/messages/forecast.py.
import { t } from "../translation";
import { dollarsOf, formatDuration, formatMoney, plural } from "../formatting";
import type { ServiceInfo } from "../snapshot.gen";

/**
 * Seconds, usage and jobs that would fail of a session, a batch and job mode; then the number of sessions on IBM that
 * forecasts were checked against, and the bounds of what is forecast as 1.
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
  late: number;
}

function ways(forecast: Forecast, { plan, price_per_second: price }: Price): Way[] {
  const [low, high] = forecast.slice(10) as [number, number];
  const range = (value: number, words: (bound: number) => string) =>
    [...new Set([value * low, value * high].map(words))].join(t` to `);
  const money = (seconds: number) => formatMoney(dollarsOf(seconds, price) ?? 0);
  return [t`session`, t`batch`, t`job mode`].flatMap((name, at) => {
    const [seconds, used, late] = forecast.slice(3 * at) as [number, number, number];
    if (plan === "open" && at === 0) return [];
    const cost = price === null ? t`uses ${range(used, formatDuration)}` : range(used, money);
    return [{ name, seconds: range(seconds, formatDuration), cost, late }];
  });
}

/** The cost of each way in few words, the error first: `an estimate, right within a factor of 1.5: session $35.20 to $80.00 · …`. */
export function costsWords(forecast: Forecast, service: Price): string {
  const [checked, low, high] = forecast.slice(9) as [number, number, number];
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
      const fail = late ? t` (about ${plural(late, "job")} would fail)` : "";
      return `${name}${name === t`session` ? t` closed at its last result` : ""} ${seconds}, ${cost}${fail}`;
    })
    .join(" · ");
}

/** The error of forecasts and of a device's time by IBM's estimate. */
export function errorWords(forecast: Forecast): string {
  const [checked, low, high] = forecast.slice(9) as [number, number, number];
  const within = t`assumed right within a factor of ${SPREAD}`;
  const count = t`${plural(checked, "session")} on IBM`;
  if (checked === 0) return t`never checked against IBM, ${within}`;
  if (checked < CALIBRATED_BY) return t`checked against ${count} only, ${within}`;
  return t`${count} used ${low.toFixed(2)} to ${high.toFixed(2)} times their forecast`;
}

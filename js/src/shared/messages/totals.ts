// Words for the sums over all sessions.
import { t } from "../translation";
import { formatDuration, formatMoney, formatPrice, plural } from "../formatting";
import type { Service, Snapshot } from "../serverTypes";
import { costOf, type Burn, type Dollars, type Totals } from "../totals";
import { usage } from "../metrics";

const countedOn = () =>
  t`A session counts on the day on which it ended, and today while it is open.`;

/** A number with what it says; `would` where nothing is charged. */
export interface Figure {
  key: string;
  value: string;
  note: string;
  would: boolean;
  title: string;
}

/** What a sum leaves out: `1 without a price`; empty where it holds everything. */
function without({ unpriced }: Dollars): string {
  return unpriced ? t`${unpriced} without a price` : "";
}

function plus(...parts: string[]): string {
  return parts.filter(Boolean).join(" + ");
}

/** `$2.40/s`, `$1.60/s + 1 without a price`, `would be $1.60/s`; empty while nothing grows. */
export function burnWords({ billing, emulated, perSecond }: Burn): string {
  const { charged, emulated: would } = perSecond;
  if (billing && charged) return plus(formatPrice(charged), without(perSecond));
  if (billing) return t`${billing} active`;
  return emulated && would ? t`would be ${formatPrice(would)}` : "";
}

function burnFigure(burn: Burn): Figure {
  const { billing, emulated, perSecond } = burn;
  const would = billing === 0 && emulated > 0;
  const active = t`${plural(emulated, "emulated session")} ${emulated === 1 ? t`is` : t`are`} active`;
  return {
    key: "burn",
    value:
      billing && !perSecond.charged
        ? t`${billing} active`
        : formatPrice(would ? perSecond.emulated : perSecond.charged),
    note: would
      ? t`now, if on IBM`
      : billing
        ? noted(t`${billing} billing now`, perSecond)
        : t`nothing is billed`,
    would,
    title: emulated ? t`${active}: on IBM that would be ${formatPrice(perSecond.emulated)}.` : "",
  };
}

/** `≈ $77`, `≈ $77 + 1 without a price`; `would be ≈ $22` where nothing is charged. */
export function sumWords(sum: Dollars): string {
  const would = !sum.charged && !sum.unpriced && sum.emulated > 0;
  return would ? t`would be ${sumAmount(sum)}` : sumAmount(sum);
}

function sumAmount(sum: Dollars): string {
  const { charged, emulated, unpriced } = sum;
  if (charged || unpriced) return plus(charged ? `≈ ${formatMoney(charged)}` : "", without(sum));
  return emulated ? `≈ ${formatMoney(emulated)}` : formatMoney(0);
}

function noted(note: string, sum: Dollars): string {
  return [note, without(sum)].filter(Boolean).join(", ");
}

function sumFigure(key: string, sum: Dollars, word: string): Figure {
  const { charged, emulated, unpriced } = sum;
  const would = charged === 0 && unpriced === 0 && emulated > 0;
  const also = !would && emulated > 0;
  const known = { ...sum, unpriced: 0 };
  return {
    key,
    value: charged || !unpriced ? sumAmount(known) : t`unknown`,
    note: noted(`${word}${would ? t`, if on IBM` : ""}`, sum),
    would,
    title: `${countedOn()}${also ? t` Emulated sessions would be ≈ ${formatMoney(emulated)} more.` : ""}`,
  };
}

/** The figures at the top of the side panel: what costs now, today's sum, this week's, and the quotas. */
export function figures({ burn, today, week }: Totals, services: readonly Service[]): Figure[] {
  const limited = services.filter(({ quota_left: left }) => typeof left === "number");
  return [
    burnFigure(burn),
    sumFigure("today", today, t`today`),
    sumFigure("week", week, t`this week`),
    ...limited.map(({ key, info, quota_left: left }) => ({
      key: `quota ${key}`,
      value: formatDuration(left ?? 0),
      note: info.plan === "open" ? t`Open Plan left` : t`quota left`,
      would: info.kind === "local",
      title: t`What the instance has left, as ${info.label} says.`,
    })),
  ];
}

/** The same sums in one line: `$2.40/s · ≈ $335 today`. */
export function totalsLine({ burn, today }: Totals): string {
  return [burnWords(burn), t`${sumWords(today)} today`].filter(Boolean).join(" · ");
}

/** What a session costs, in short: `≈ $160`, `$160` once it is final, `would be ≈ $22`. */
export function costWords(snapshot: Snapshot, now: number): string {
  const cost = costOf(snapshot, now);
  if (cost === null) return "";
  if (snapshot.started_at === null) return formatMoney(0);
  const exact = snapshot.service.charged && usage(snapshot, now).final;
  return `${snapshot.service.charged ? "" : t`would be `}${exact ? "" : "≈ "}${formatMoney(cost)}`;
}

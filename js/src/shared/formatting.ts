// Figures as people read them, by the same rules as qsession_widgets/formatting.py: tests/vectors/formatting.json has
// the strings both are tested with. Clock times are in the reader's time zone.

const pad = (value: number) => String(value).padStart(2, "0");

/** What sums of numbers and differences of times lose must not turn 12 s into 11 s, nor 30 ms into 29 ms. */
const LOST = 1e-6;

/** A countdown: `0:12`, `1:51:42`. Rounded up, so that it says zero only when it is. */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds - LOST));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/**
 * A duration: `12 ms`, `4.9 s`, `41 s`, `4 m 58 s`, `2 h 5 m`; a dash for null. Cut, not rounded: to tenths below
 * 10 s, to whole seconds from there, so that what ticks never shows more than has passed.
 */
export function formatDuration(seconds: number | null): string {
  if (seconds === null) return "–";
  const value = cutSeconds(seconds);
  if (value > 0 && value < 0.1 - LOST) return `${Math.round(1000 * value)} ms`;
  if (value < 10 - LOST) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h} h ${m} m`;
  return m > 0 ? `${m} m ${s} s` : `${s} s`;
}

/**
 * The seconds that `formatDuration` shows: views that are drawn at different fractions of a second show the same
 * dollars beside the same seconds.
 */
export function cutSeconds(seconds: number): number {
  const value = Math.max(0, seconds);
  if (value < 0.001) return 0;
  const unit = value < 0.1 - LOST ? 1000 : value < 10 - LOST ? 10 : 1;
  return Math.floor(unit * (value + LOST)) / unit;
}

/**
 * US dollars of a time at a price per second; null where either is unknown. Until the session's usage is final, they
 * are those of the seconds that `formatDuration` shows. Every amount of a session is made here, so that a sum and its
 * parts, and one view and another, agree.
 */
export function dollarsOf(
  seconds: number | null,
  price: number | null,
  final = false,
): number | null {
  if (seconds === null || price === null) return null;
  return price * (final ? Math.max(0, seconds) : cutSeconds(seconds));
}

const tenths = (count: number) => `${Math.floor(count / 10)}.${count % 10} s`;

export type Parts = readonly [first: number, middle: number, last: number];

/**
 * First, middle and last part of a duration, which add up to it as `formatDuration` shows it. The first is cut to the
 * total's own unit, the last is rounded up, and the middle has what remains.
 */
export function formatParts(parts: Parts, total: number): string[] {
  const unit = total < 10 - LOST ? 0.1 : 1;
  const [first, middle, last] = parts;
  const whole = Math.floor(Math.max(0, total) / unit + LOST);
  const cut = units([first / unit, middle / unit, last / unit], whole, 0);
  if (unit < 1) return cut.map(tenths);
  return cut.map((whole, at) =>
    whole === 0 && parts[at]! > 0 ? "<1 s" : whole < 10 ? `${whole} s` : formatDuration(whole),
  );
}

/**
 * Three parts in whole units that add up to a whole. Neither the first nor the last is made of the other two, so that
 * each stays as it is while another one grows. The last is, where the middle is empty.
 */
function units([first, middle, last]: Parts, whole: number, half: number): number[] {
  const begin = Math.min(whole, Math.floor(Math.max(0, first) + half + LOST));
  const rest = whole - begin;
  const end = middle > LOST ? Math.min(rest, Math.max(0, Math.ceil(last - half - LOST))) : rest;
  return [begin, rest - end, end];
}

/** Shares of an amount of US dollars, in proportion to parts; their cents add up to those of the amount. */
export function formatShares(parts: Parts, dollars: number): string[] {
  const [first, middle, last] = parts;
  const total = first + middle + last;
  if (total <= 0) return parts.map(() => formatMoney(0));
  const whole = Math.floor(100 * dollars + 0.5 + LOST);
  const each = (100 * dollars) / total;
  const cents = units([each * first, each * middle, each * last], whole, 0.5);
  return cents.map((share) => formatMoney(share / 100));
}

/** An age in its largest unit: `12 min`, `3 h`, `200 days`. */
export function formatAge(seconds: number): string {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${formatCount(Math.floor(hours / 24))} days`;
}

/** An amount of US dollars: cents below $100, whole dollars from there, rounded half up. */
export function formatMoney(dollars: number): string {
  const cents = Math.floor(100 * Math.max(0, dollars) + 0.5 + LOST);
  if (cents < 10_000) return `$${Math.floor(cents / 100)}.${pad(cents % 100)}`;
  return `$${formatCount(Math.floor(dollars + 0.5 + LOST))}`;
}

/** A price: `$1.60/s`, `$0.0017/s`; with parts of cents where it has some. */
export function formatPrice(dollarsPerSecond: number): string {
  const exact = `$${dollarsPerSecond.toFixed(4).replace(/0{1,2}$/, "")}`;
  return `${dollarsPerSecond >= 100 ? formatMoney(dollarsPerSecond) : exact}/s`;
}

/**
 * A value and its standard error: `-1.137 ± 0.012`; six digits where none is known. The error has two digits, and the
 * value as many decimals as the error.
 */
export function formatValue(value: number, error: number | null = null): string {
  if (!error) return significant(value, 6);
  const decimals = 1 - Math.floor(Math.log10(error));
  if (decimals < 0 || decimals > 12) return `${significant(value, 6)} ± ${significant(error, 2)}`;
  return `${value.toFixed(decimals)} ± ${error.toFixed(decimals)}`;
}

/** Python's `format(value, ".6g")`, for any number of digits. */
function significant(value: number, digits: number): string {
  const [mantissa, power] = value.toExponential(digits - 1).split("e") as [string, string];
  const exponent = Number(power);
  const cut = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent >= -4 && exponent < digits) return cut(value.toFixed(digits - 1 - exponent));
  return `${cut(mantissa)}e${exponent < 0 ? "-" : "+"}${pad(Math.abs(exponent))}`;
}

const clockFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

const weekdayFormat = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
});

/** The day of a time in the reader's time zone: `Mon 30 Nov`. */
export function formatDay(seconds: number): string {
  return weekdayFormat.format(new Date(seconds * 1000)).replace(",", "");
}

/** A time zone by its distance from UTC in minutes: `UTC`, `UTC+1`, `UTC-3:30`. */
export function formatZone(minutes: number): string {
  if (minutes === 0) return "UTC";
  const whole = Math.round(Math.abs(minutes));
  const [hours, rest] = [Math.floor(whole / 60), whole % 60];
  return `UTC${minutes < 0 ? "-" : "+"}${hours}${rest ? `:${pad(rest)}` : ""}`;
}

/** The reader's time zone at a time in seconds. */
export function zoneAt(seconds: number): string {
  return formatZone(-new Date(seconds * 1000).getTimezoneOffset());
}

/** The same words, in which no line ends between a number and its unit. */
export function unbroken(text: string): string {
  return text
    .replace(/≈ (?=\S)/g, "≈\u00a0")
    .replace(/(\d) ([hm]|m?s)\b/g, "$1\u00a0$2")
    .replace(/\b([hm]) (?=\d+\u00a0)/g, "$1\u00a0");
}

/** Clock time in the reader's time zone; with the day when it is not the day of `near`. */
export function formatClock(seconds: number, near: number): string {
  const date = new Date(seconds * 1000);
  const time = clockFormat.format(date);
  const day = dayFormat.format(date);
  return day === dayFormat.format(new Date(near * 1000)) ? time : `${time} on ${day}`;
}

/** `7b695108…f50a`, `d3k…9q0`: enough of an id to recognise it. */
export function shortId(id: string, head = 8, tail = 4): string {
  return id.length <= head + tail + 1 ? id : `${id.slice(0, head)}…${id.slice(-tail)}`;
}

export { plural } from "./translation";

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

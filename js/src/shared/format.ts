// Numbers as people read them. The words are English, so the numbers are too, whatever the browser's locale;
// clock times are in the reader's time zone.

const pad = (value: number) => String(value).padStart(2, "0");

/** A countdown: `0:12`, `1:51:42`. Rounded up, so that it says zero only when it is. */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds - 1e-6));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/** A length of time for reading: `4 m 58 s`, `51 s`, `2 h 5 m`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h} h ${m} m`;
  return m > 0 ? `${m} m ${s} s` : `${s} s`;
}

/** Parts of a length of time in whole seconds that add up to the whole as `formatDuration` shows it. */
export function wholeSeconds(parts: readonly number[], total: number): number[] {
  const floors = parts.map((part) => Math.floor(Math.max(0, part) + 1e-6));
  let left = Math.floor(Math.max(0, total) + 1e-6) - floors.reduce((sum, part) => sum + part, 0);
  // what is left over goes to those that lost most by being cut
  const byLoss = parts.map((part, at) => [part - floors[at]!, at] as const);
  byLoss.sort((a, b) => b[0] - a[0]);
  for (const [, at] of byLoss) if (left-- > 0) floors[at]! += 1;
  return floors;
}

/** A job's times, as exact as they tell something: `45 ms`, `4.2 s`, `43 s`, `3 m 2 s`. */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null) return "–";
  const value = Math.max(0, seconds);
  if (value < 0.995) {
    const milliseconds = Number((1000 * value).toPrecision(2));
    return value > 0 && milliseconds < 1 ? "<1 ms" : `${milliseconds} ms`;
  }
  // up to two minutes a number of seconds says more than minutes and seconds do
  if (value < 9.95) return `${value.toFixed(1)} s`;
  return value < 119.5 ? `${Math.round(value)} s` : formatDuration(value);
}

export function formatMoney(dollars: number): string {
  return inDollars(dollars, dollars < 10 ? 2 : 0);
}

/** What of an amount is spent, in whole dollars where these tell enough: cents would only flicker. */
export function formatSpent(dollars: number, of: number): string {
  return of < 10 ? inDollars(dollars, 2) : inDollars(Math.floor(dollars + 1e-6), 0);
}

function inDollars(dollars: number, digits: number): string {
  return dollars.toLocaleString("en-US", {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function formatPrice(dollarsPerSecond: number): string {
  return `$${dollarsPerSecond.toFixed(2)}/s`;
}

const clockFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

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

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

// Words of notifications. JupyterLab shows 140 characters of one and cuts the rest, so what to do stands within them.
import { sentences, t } from "../translation";
import { plural } from "../formatting";

/** Characters of a notification that JupyterLab shows. */
export const SHOWN = 140;

/** What to do about an error, by the service's code, in few words. */
const REMEDIES: Record<number, string> = sentences({
  1501: "apply the circuit's layout to the observable",
  1517: "transpile it for this backend",
});

/** As many whole sentences as are shown. */
export function fit(text: string): string {
  const end = text.lastIndexOf(". ");
  return text.length <= SHOWN || end < 0 ? text : fit(text.slice(0, end + 1));
}

/** A failure with its error, shortened from the middle: the remedy at its end is always shown. */
export function failure(head: string, error: string | null, code: number | null): string {
  if (!error) return `${head}.`;
  const known = code === null ? undefined : REMEDIES[code];
  const said =
    known && !error.endsWith(`${known}.`) ? `${error.replace(/\.$/, "")}: ${known}.` : error;
  const whole = `${head}: ${said}`;
  if (whole.length <= SHOWN) return whole;
  // what stands in brackets is detail
  const plain = said.replace(/ \([^()]*\)/g, "");
  if (head.length + 2 + plain.length <= SHOWN) return `${head}: ${plain}`;
  const at = Math.max(plain.lastIndexOf(": "), plain.lastIndexOf(". ", plain.length - 2));
  const remedy = at < 0 ? "" : plain.slice(at);
  const room = SHOWN - head.length - 2 - remedy.length - 1;
  if (room < 0) return cut(`${head}: ${plain}`, SHOWN);
  return `${head}: ${cut(plain.slice(0, at < 0 ? undefined : at), room + 1)}${remedy}`;
}

/** As many whole words as have room, and an ellipsis. */
function cut(text: string, room: number): string {
  if (text.length <= room) return text;
  const words = text.slice(0, room - 1);
  return `${words.slice(0, Math.max(0, words.lastIndexOf(" ")) || undefined)}…`;
}

/** `session on ibm_fez, session “vqe” and 3 more`. */
export function named(titles: readonly string[], most = 2): string {
  const shown = titles.slice(0, titles.length > most + 1 ? most : titles.length);
  const more = titles.length - shown.length;
  return more ? t`${shown.join(", ")} and ${more} more` : shown.join(", ");
}

/** One sentence for several sessions of which the same is to be said; `{n}` stands for how many. */
export const SEVERAL: Record<string, string> = sentences({
  notifyFirstJob: "{n} have left the queue, and their maximum times have started: {titles}.",
  notifyDeactivated: "{n} are deactivated, nothing is billed, and their next jobs queue: {titles}.",
  notifyClosed: "{n} have ended: {titles}.",
  notifyIdle: "{n} have nothing pending and are deactivated soon: {titles}.",
  notifyMaximum: "{n} reach their maximum time soon, and queued jobs will fail: {titles}.",
  notifyOrphan: "{n} are still active{billed}, but their kernel is gone: {titles}.",
  notifyBudget: "{n} come near their budget: {titles}.",
  notifyStray: "Jobs ran outside of {n}: {titles}.",
  notifyGuard: "{n} were ended by their rules: {titles}.",
});

export function several(setting: string, titles: readonly string[], charged: boolean): string {
  const words = (most: number) =>
    SEVERAL[setting]!.replace("{n}", plural(titles.length, "session"))
      .replace("{billed}", charged ? t` and billed` : "")
      .replace("{titles}", named(titles, most));
  return [2, 1].map(words).find((text) => text.length <= SHOWN) ?? cut(words(1), SHOWN);
}

// Labels and sentences about a workload, for the status bar, the side panel and the dialogs. Pure.
import { sentences, t } from "../translation";
import { IDLE_AFTER, smoothedPhase } from "../idleSmoothing";
import { consequences, noun } from "../consequences";
import {
  activeUntil,
  amount,
  emptyTimeout,
  interactiveTimeout,
  maximumTime,
  pendingJobs,
  phaseTone,
  usage,
  type Phase,
  type Reused,
  type Tone,
} from "../metrics";
import {
  formatCount,
  formatCountdown,
  formatDuration,
  formatMoney,
  formatPrice,
  plural,
  shortId,
} from "../formatting";
import type { JobRecord, ServiceInfo, SessionSnapshot } from "../snapshot.gen";
import { interactiveNote } from "./timeouts";
import { isOpen, type Service, type OpenedBy, type Snapshot, type Workload } from "../serverTypes";

/** A label for each phase, the same as in qsession_widgets/messages/labels.py. */
export const HEADLINES: Record<Phase, string> = sentences({
  open: "Open, no job yet",
  queued: "Waiting in the queue",
  active: "Active",
  idle: "Active, idle",
  deactivated: "Deactivated",
  closing: "Closing",
  closed: "Closed",
  cancelled: "Cancelled",
  job_mode: "Job mode",
  job_mode_running: "Job mode, running",
  not_opened: "Not opened",
});

/** The state of a kernel that is there. */
const KERNELS = sentences({ idle: "idle", busy: "busy", alive: "alive" });

/** Whether it is open and its kernel is gone, so that nothing will close it. */
export function isOrphan(workload: Workload): boolean {
  return isOpen(workload) && workload.opened_by?.kernel === "gone";
}

/** The number of reused jobs, and the cost that is not paid again, as in qsession_widgets/messages/resume.py. */
export function reusedWords({ jobs, of, dollars }: Reused, charged: boolean): string {
  const words = t`${formatCount(jobs)} of ${plural(of, "job")} reused`;
  if (dollars === null) return words;
  const what = charged ? t`not paid again` : t`on IBM would not be paid again`;
  return `${words}, ≈ ${formatMoney(dollars)} ${what}`;
}

/** The program of a job as users know it; the library's own samplers and estimators all send `executor`. */
export function programWord({ program }: JobRecord): string {
  return program === "executor" ? "primitive" : program;
}

/** What becomes of a session that was not opened. */
export function notOpened({ state }: Pick<SessionSnapshot, "state">): string {
  return state === "closed"
    ? t`it ended before there was a new job`
    : t`opens with the first new job, or the first use of its id`;
}

export function stateWord(snapshot: Snapshot, now: number): string {
  const words = HEADLINES[smoothedPhase(snapshot, now)];
  return words.charAt(0).toLowerCase() + words.slice(1);
}

export function tone(workload: Workload, now: number): Tone {
  const code = smoothedPhase(workload.snapshot, now);
  if (isOrphan(workload)) return code === "deactivated" ? "warning" : "bad";
  return phaseTone(code);
}

const WORST: Tone[] = ["bad", "warning", "good", "quiet"];

/** The most urgent of several tones. */
export function worstTone(tones: Iterable<Tone>): Tone {
  const all = new Set(tones);
  return WORST.find((each) => all.has(each)) ?? "quiet";
}

export function jobCount(snapshot: Snapshot): number {
  const { counts } = snapshot;
  if (!counts) return snapshot.jobs.filter((job) => !job.stray).length;
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export function jobWords(snapshot: Snapshot): string {
  const total = jobCount(snapshot);
  if (total === 0) return snapshot.state === "closed" ? t`no jobs` : t`no job yet`;
  const pending = pendingJobs(snapshot);
  const running = pending.filter((job) => job.status === "running").length;
  const queued = pending.length - running;
  const count = formatCount(total);
  const parts = [total === 1 ? t`${count} job` : t`${count} jobs`];
  if (running) parts.push(t`${running} running`);
  if (queued) parts.push(t`${queued} queued`);
  return parts.join(", ");
}

export interface Timer {
  label: string;
  short: string;
  text: string;
  note: string;
  low: boolean;
}

/** The countdowns of a workload that is open, each with what follows at zero. */
export function timers(snapshot: Snapshot, now: number): Timer[] {
  if (snapshot.state === "closed") return [];
  const found: Timer[] = [];
  const empty = emptyTimeout(snapshot, now);
  const interactive = interactiveTimeout(snapshot, now);
  const maximum = maximumTime(snapshot, now);
  if (empty) {
    const text = formatCountdown(empty.remaining);
    const low = empty.remaining < 60;
    const note = t`then it closes, if no job was run`;
    found.push({ label: t`Closes by itself`, short: t`closes in`, text, note, low });
  } else if (interactive && snapshot.state === "active") {
    const low = interactive.running && interactive.remaining < 15;
    found.push({
      label: t`Interactive timeout`,
      short: "ITTL",
      text: formatCountdown(interactive.remaining),
      note: interactiveNote(snapshot, interactive, now),
      low,
    });
  }
  if (maximum) {
    const running = maximum.running;
    found.push({
      label: t`Maximum time`,
      short: t`max`,
      text: formatCountdown(maximum.remaining),
      note: running ? t`then queued jobs fail` : t`starts with the first job`,
      low: running && maximum.remaining < Math.min(300, 0.1 * maximum.total),
    });
  }
  return found;
}

/** `ibm_fez · active · ITTL 0:42 · max 1:51:42 · 3 jobs` */
export function statusLine(workload: Workload, now: number): string {
  const { snapshot } = workload;
  const clocks = timers(snapshot, now).map((timer) => `${timer.short} ${timer.text}`);
  const gone = isOrphan(workload) ? [t`kernel gone`] : [];
  const total = jobCount(snapshot);
  const jobs = total ? [plural(total, "job")] : [];
  return [snapshot.backend, stateWord(snapshot, now), ...gone, ...clocks, ...jobs].join(" · ");
}

/** The plans that have a list price, by their code in `ServiceInfo.plan`. */
const PLANS: Record<string, string> = { payg: "Pay-As-You-Go", flex: "Flex", premium: "Premium" };

/** The price that figures are counted with, and whose it is: `at $0.80/s, list price of Premium`. */
export function priceWords(service: ServiceInfo): string {
  return service.price_per_second === null ? "" : t`at ${priceAndSource(service)}`;
}

/** `$0.80/s, list price of Premium`; empty without a price. */
export function priceAndSource(service: ServiceInfo): string {
  if (service.price_per_second === null) return "";
  const sources: Record<string, string> = {
    list: t`, list price of ${PLANS[service.plan] ?? service.plan}`,
    own: t`, your price`,
    environment: t`, your price (QSESSION_PRICE)`,
    config: t`, your price (SessionMagics.price)`,
  };
  return `${formatPrice(service.price_per_second)}${sources[service.price_source] ?? ""}`;
}

/** Usage and its price: an estimate until the service says final. */
export function usageWords(snapshot: Snapshot, now: number): string {
  const spent = usage(snapshot, snapshot.state === "closed" ? (snapshot.closed_at ?? now) : now);
  if (!spent.told && spent.total === 0) return t`not told`;
  const words = `${spent.at_most ? t`at most ` : ""}${formatDuration(spent.total)}`;
  const last = spent.final ? "final" : snapshot.state === "closed" ? "estimate" : "";
  if (spent.cost === null) return [words, last].filter(Boolean).join(", ");
  const money = formatMoney(spent.cost);
  if (!snapshot.service.charged) return t`${words}, would be ≈ ${money}`;
  return spent.final ? t`${words}, ${money} final` : `${words}, ≈ ${money}`;
}

/** By which estimate an emulated session's usage is, for a title; the panel's forecast says how far it may be off. */
export function estimateWords({ device_time: device }: SessionSnapshot): string | undefined {
  if (!device) return undefined;
  return t`A device’s time by IBM’s estimate of 2 s and 0.35 ms per execution; the panel says how far it may be off`;
}

/** A sentence about the effect of closing. */
export function closeSentence(snapshot: Snapshot): string {
  if (snapshot.state === "closed") return t`The ${noun(snapshot)} has ended meanwhile.`;
  if (pendingJobs(snapshot).length === 0) return t`No job is pending: closing ends it at once.`;
  return t`Closing ${consequences(snapshot).close}; no more are accepted.`;
}

/** A sentence about the kernels that have it; empty where no second one lives. */
export function sharedSentence(snapshot: Snapshot, holders: readonly OpenedBy[]): string {
  const living = holders.filter((by) => by.kernel !== "gone").map((by) => by.label);
  if (snapshot.state === "closed" || living.length < 2) return "";
  const last = living.pop();
  return t`It is open in ${living.join(", ")} and ${last}: closing ends it there, too.`;
}

/** A sentence about the consequences of leaving it open. */
export function leftSentence(snapshot: Snapshot, now: number): string {
  if (snapshot.state === "closed") return t`It has ended: nothing is left open.`;
  if (snapshot.mode !== "dedicated") {
    return t`Left open, it goes on with the jobs it has until its maximum time.`;
  }
  const empty = emptyTimeout(snapshot, now);
  if (empty) {
    const left = formatCountdown(empty.remaining);
    return t`Left open, it costs nothing while no job is run, and closes by itself in ${left}.`;
  }
  if (snapshot.state === "inactive") {
    return t`Left open, it stays deactivated: nothing is billed until one of its jobs runs.`;
  }
  const { price_per_second: price, charged } = snapshot.service;
  const cost = !charged
    ? t` (emulated, no charge)`
    : price === null
      ? ""
      : t` (≈ ${formatMoney(price)} a second while active)`;
  const timeout = interactiveTimeout(snapshot, now);
  const until = !timeout
    ? t`until a timeout`
    : timeout.running
      ? t`until its interactive timeout in ${formatCountdown(timeout.remaining)}`
      : t`until its jobs are done and its interactive timeout of ${formatCountdown(timeout.total)} has passed`;
  return t`Left open, it keeps running${cost} ${until}.`;
}

/** Seconds of usage since the last job of an active session; null while a job is pending, or idle time is free. */
export function idleFor(snapshot: Snapshot, now: number): number | null {
  if (snapshot.mode !== "dedicated" || snapshot.state !== "active") return null;
  if (pendingJobs(snapshot).length > 0) return null;
  const since = Math.max(snapshot.last_job_completed ?? 0, snapshot.activated_at ?? 0);
  return since > 0 ? Math.max(0, activeUntil(snapshot, now)[0] - since) : null;
}

/** `idle for 12 s, ≈ $19`: the idle time since the last job, and its cost; empty while there is none. */
export function idleWords(snapshot: Snapshot, now: number): string {
  const span = idleSpan(snapshot, now);
  return span && t`idle ${span}`;
}

/** The same without its first word. */
export function idleSpan(snapshot: Snapshot, now: number): string {
  const idle = idleFor(snapshot, now);
  // between the jobs of a loop it would come and go
  if (idle === null || idle < IDLE_AFTER) return "";
  const dollars = amount(snapshot, idle);
  const words = t`for ${formatDuration(idle)}`;
  if (dollars === null) return words;
  return `${words}, ${snapshot.service.charged ? "" : t`would be `}≈ ${formatMoney(dollars)}`;
}

/** Whose it is: the notebook, or the process, or not known here. */
export function ownerLabel(workload: Workload): string {
  const by = workload.opened_by;
  if (!by) return t`opened elsewhere`;
  return by.label || by.notebook || t`opened elsewhere`;
}

export function kernelWords(workload: Workload): string {
  const by = workload.opened_by;
  if (!by) return "";
  switch (by.kernel) {
    case "gone":
      return t`kernel gone`;
    case "elsewhere":
      return t`a process outside of this server`;
    default:
      return t`kernel ${KERNELS[by.kernel]}${by.bound ? t`, new primitives run in it` : ""}`;
  }
}

/** The age of the last answer, in seconds of real time. */
export function answeredAgo(service: Service, now: number): number | null {
  if (service.answered_at === null) return null;
  return Math.max(0, (now - service.answered_at) / Math.max(1, service.info.speed));
}

/** Questions are held until something changes: an answer is not old before the next one is due. */
const OLD_SECONDS = 40;

export function agoWords(seconds: number | null): string {
  if (seconds === null) return t`not answered yet`;
  return seconds < OLD_SECONDS ? "" : t`answered ${formatDuration(seconds)} ago`;
}

/** A service as a heading: emulators have names where there are several. */
export function serviceTitle({ key, info }: Service): string {
  const name = /^local:(.+)/.exec(key)?.[1];
  return name ? t`local emulator “${name}” · no charge` : info.label;
}

/** Enough to tell it from the others, for sentences. */
export function nameOf(workload: Workload): string {
  const { snapshot } = workload;
  const name = snapshot.name || workload.opened_by?.name;
  return `${snapshot.backend}${name ? ` “${name}”` : ""} (${shortId(snapshot.session_id)})`;
}

/** `session “vqe”`, `batch on ibm_fez`: for notifications, which are short; with its id only where two are alike. */
export function titleOf(workload: Workload, all: readonly Workload[]): string {
  const plain = ({ snapshot, opened_by: by }: Workload) => {
    const name = snapshot.name || by?.name;
    return `${noun(snapshot)} ${name ? `“${name}”` : t`on ${snapshot.backend}`}`;
  };
  const title = plain(workload);
  const { session_id: id } = workload.snapshot;
  const alike = all.some(
    (other) => isOpen(other) && other.snapshot.session_id !== id && plain(other) === title,
  );
  return alike ? `${title} (${shortId(id)})` : title;
}

/** Open ones: those that cost with nobody there first, then others that cost. Closed ones: the latest first. */
export function inOrder(workloads: readonly Workload[]): Workload[] {
  const rank = (workload: Workload) =>
    ({ active: 1, open: 2, inactive: 3, closed: 4 })[workload.snapshot.state] -
    (isOrphan(workload) && workload.snapshot.state === "active" ? 1 : 0);
  const at = ({ snapshot }: Workload) => snapshot.closed_at ?? snapshot.opened_at ?? 0;
  return workloads.toSorted((a, b) => rank(a) - rank(b) || at(b) - at(a));
}

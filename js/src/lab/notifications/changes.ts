// Notices about workloads, found by comparing two overviews. Pure: the time is an argument, and no page is touched.
// JupyterLab shows 140 characters of a notification, so the sentences are short.
import { t } from "#shared/translation";
import { consequences, noun } from "#shared/consequences";
import { interactiveTimeout, maximumTime, pendingJobs } from "#shared/metrics";
import { formatCountdown, plural } from "#shared/formatting";
import { isOpen, keyOf, which, type WorkloadRef, type Workload } from "#shared/serverTypes";
import { endReason } from "#shared/messages/outcomes";
import { failure, fit } from "#shared/messages/notifications";
import type { Switch } from "../state/settings";
import { gather } from "./gather";
import { isOrphan, titleOf, usageWords } from "#shared/messages/labels";

export type Does = "close" | "show" | "notebook";

export interface Notice {
  /** Names the notice: one of the same key takes the place of the other. */
  key: string;
  setting: Switch;
  type: "info" | "warning" | "error" | "success";
  text: string;
  does: Does;
  which: WorkloadRef;
  /** It is about a moment that passes: taken away when it is no longer true. */
  passing: boolean;
  /** The session, for a sentence about several. */
  title: string;
  charged: boolean;
  failed?: { error: string | null; code: number | null };
  /** The keys of the notices that it stands for, where it stands for several. */
  parts?: string[];
}

/** The state of a workload that the next look compares with. */
export interface Seen {
  state: string;
  started: boolean;
  failed: Set<string>;
  seq: number;
  told: Set<string>;
}

/** Actions of the user on this page, which need no notification. */
export interface Known {
  ended(which: WorkloadRef): boolean;
  left(which: WorkloadRef): boolean;
  /** Whether it belongs to the current notebook. */
  isHere(workload: Workload): boolean;
  /** Whether it does, and the user is working in it. */
  isInUse(workload: Workload): boolean;
}

/** The service's reasons for an end that was requested. */
const ON_REQUEST = ["session_closed_early", "session_cancelled"];
/** Ends that a cell or the panel of a session's own notebook has asked for. */
const OWN = ["panel", "notebook", "once", "exit"];
/** A queue that took less is no news, in seconds of this page. */
const QUEUED_SECONDS = 10;
const IDLE_SECONDS = 15;
const MAXIMUM_SECONDS = 300;

/** Seconds of this page that the first job waited in the queue. */
export function firstWait({ snapshot }: Workload): number {
  const { started_at: started, opened_at: opened, service } = snapshot;
  if (started === null) return 0;
  const first = snapshot.jobs.find((job) => job.started !== null && job.started <= started + 1);
  const since = first?.created ?? opened ?? started;
  return (started - since) / Math.max(1, service.speed);
}

/** Nothing is pending and the interactive timeout is about to pass. */
export function idleSoon({ snapshot }: Workload, now: number): number | null {
  if (snapshot.mode !== "dedicated" || !snapshot.accepting_jobs) return null;
  const timeout = interactiveTimeout(snapshot, now);
  if (!timeout?.running || timeout.remaining <= 0) return null;
  // where the whole timeout is short, a warning after every job would be noise
  return timeout.remaining < Math.min(IDLE_SECONDS, timeout.total / 4) ? timeout.remaining : null;
}

/** The maximum time is almost up, and something would be lost or is being paid for. */
export function maximumSoon({ snapshot }: Workload, now: number): number | null {
  if (snapshot.state === "closed") return null;
  if (snapshot.state !== "active" && pendingJobs(snapshot).length === 0) return null;
  const maximum = maximumTime(snapshot, now);
  if (!maximum?.running || maximum.remaining <= 0) return null;
  return maximum.remaining < Math.min(MAXIMUM_SECONDS, maximum.total / 2)
    ? maximum.remaining
    : null;
}

type Bare = Omit<Notice, "title" | "charged">;

/** Remembers what was seen of each workload, and tells what is new. */
export class ChangeDetector {
  private readonly seen = new Map<string, Seen>();

  /**
   * Look at what is known now. `now` gives the service's clock. The first look tells only what is true at this moment,
   * not what has happened.
   */
  look(
    workloads: readonly Workload[],
    now: (service: string) => number,
    known: Known,
  ): { fresh: Notice[]; over: string[] } {
    const fresh: Notice[] = [];
    const over: string[] = [];
    for (const workload of workloads) {
      const key = keyOf(which(workload));
      const before = this.seen.get(key);
      const time = now(workload.service);
      const told = before?.told ?? new Set<string>();
      const title = titleOf(workload, workloads);
      const { charged } = workload.snapshot.service;
      const tell = (notice: Bare) => fresh.push({ title, charged, ...notice });
      // one that is new to this page but not to the service has its past behind it
      if (before) this.compare(workload, title, before, time, known, tell, over);
      this.moments(workload, title, time, known, told, tell, over);
      this.seen.set(key, { ...seenOf(workload), told });
    }
    return { fresh: gather(fresh), over };
  }

  private compare(
    workload: Workload,
    title: string,
    before: Seen,
    now: number,
    known: Known,
    tell: (notice: Bare) => unknown,
    over: string[],
  ): void {
    const { snapshot, events } = workload;
    const name = capital(title);
    const make = (setting: Switch, type: Notice["type"], does: Does, text: string): Bare => ({
      key: `${setting} ${keyOf(which(workload))}`,
      setting,
      type,
      text,
      does,
      which: which(workload),
      passing: false,
    });
    const waited = firstWait(workload) >= QUEUED_SECONDS;
    if (!before.started && snapshot.started_at !== null && isOpen(workload) && waited) {
      const max = snapshot.max_ttl === null ? "" : ` (${formatCountdown(snapshot.max_ttl)})`;
      const text = t`${name}: the first job has left the queue, and the maximum time${max} has started.`;
      tell(make("notifyFirstJob", "info", "notebook", text));
    }
    if (before.state === "active" && snapshot.state === "inactive") {
      const text = t`${name} is deactivated: nothing is billed, and the next job goes through the normal queue.`;
      tell(make("notifyDeactivated", "info", "close", text));
    }
    if (before.state === "inactive" && snapshot.state !== "inactive") {
      // that nothing is billed is no longer so
      over.push(`notifyDeactivated ${keyOf(which(workload))}`);
    }
    const closedKey = `notifyClosed ${keyOf(which(workload))}`;
    if (before.state !== "closed" && snapshot.state === "closed") {
      // there is nothing left to close
      for (const { kind, seq } of events) {
        if (kind === "budget") over.push(`notifyBudget ${keyOf(which(workload))} ${seq}`);
      }
      const how = snapshot.state_reason === "session_cancelled" ? "cancelled" : "closed";
      const why = snapshot.end_reason ? `: ${endReason(snapshot, snapshot.closed_at ?? now)}` : "";
      const text = t`${name} is ${how}${why}. Usage ${usageWords(snapshot, now)}.`;
      const requested = ON_REQUEST.includes(snapshot.state_reason ?? "");
      const own = OWN.includes(snapshot.end_reason ?? "") && known.isHere(workload);
      const theirs = known.ended(which(workload)) || own || (requested && known.isInUse(workload));
      // a rule that closed it says so itself, and why
      const byRule = events.at(-1)?.kind === "guard";
      if (!theirs && !byRule) tell(make("notifyClosed", "info", "show", text));
    }
    for (const job of snapshot.jobs) {
      if (job.status !== "failed" || job.stray || before.failed.has(job.id)) continue;
      const failed = { error: job.error, code: job.error_code };
      const text = failure(t`A job of the ${title} failed`, failed.error, failed.code);
      const notice = make("notifyFailed", "error", "notebook", text);
      tell({ ...notice, key: `${notice.key} ${job.id}`, failed });
    }
    for (const event of events) {
      if (event.seq <= before.seq) continue;
      if (event.kind === "guard") over.push(closedKey);
      const [setting, does]: [Switch, Does] =
        event.kind === "budget"
          ? ["notifyBudget", "close"]
          : event.kind === "stray"
            ? ["notifyStray", "notebook"]
            : ["notifyGuard", "show"];
      const notice = make(setting, "warning", does, fit(`${name}: ${event.text}`));
      tell({ ...notice, key: `${notice.key} ${event.seq}` });
    }
  }

  /** Conditions that hold for a while: reported once each time they begin to hold. */
  private moments(
    workload: Workload,
    title: string,
    now: number,
    known: Known,
    told: Set<string>,
    tell: (notice: Bare) => unknown,
    over: string[],
  ): void {
    const { snapshot } = workload;
    const name = capital(title);
    const keys = {
      idle: `notifyIdle ${keyOf(which(workload))}`,
      maximum: `notifyMaximum ${keyOf(which(workload))}`,
      orphan: `notifyOrphan ${keyOf(which(workload))}`,
    };
    const moment = (key: string, holds: boolean, notice: () => Omit<Bare, "key" | "which">) => {
      if (holds && !told.has(key)) {
        told.add(key);
        tell({ ...notice(), key, which: which(workload) });
      } else if (!holds && told.delete(key)) {
        over.push(key);
      }
    };
    moment(keys.idle, idleSoon(workload, now) !== null, () => ({
      setting: "notifyIdle",
      type: "warning",
      text: t`${name}: nothing is pending. Deactivated within ${IDLE_SECONDS} s; then the next job queues again.`,
      does: "close",
      passing: true,
    }));
    moment(keys.maximum, maximumSoon(workload, now) !== null, () => {
      const left = maximumSoon(workload, now) ?? 0;
      const queued = consequences(snapshot).cost;
      const lost = queued ? t`the ${plural(queued, "queued job")} will fail` : t`queued jobs fail`;
      return {
        setting: "notifyMaximum",
        type: "warning",
        text: t`${name} ends in less than ${Math.ceil(left / 60)} min: then ${lost} and a running one finishes.`,
        does: "show",
        passing: true,
      };
    });
    // who chose to leave it open knows; what is deactivated costs nothing, and a batch costs nothing by waiting
    const { mode, state, service } = snapshot;
    const orphan = isOrphan(workload) && mode === "dedicated" && state === "active";
    moment(keys.orphan, orphan && !known.left(which(workload)), () => ({
      setting: "notifyOrphan",
      type: "warning",
      text:
        t`The kernel that opened the ${title} is gone, but the ${noun(snapshot)} is still active ` +
        (service.charged ? t`and billed.` : t`(emulated, no charge).`),
      does: "close",
      passing: true,
    }));
  }

  /** Seconds of the service until something above becomes true without any news; Infinity when nothing will. */
  static nextMoment(workload: Workload, now: number): number {
    const { snapshot } = workload;
    let next = Infinity;
    const timeout = interactiveTimeout(snapshot, now);
    if (timeout?.running && pendingJobs(snapshot).length === 0) {
      const left = timeout.remaining - Math.min(IDLE_SECONDS, timeout.total / 4);
      next = Math.min(next, left > 0 ? left : timeout.remaining > 0 ? timeout.remaining : Infinity);
    }
    const maximum = maximumTime(snapshot, now);
    if (snapshot.state !== "closed" && maximum?.running) {
      const left = maximum.remaining - Math.min(MAXIMUM_SECONDS, maximum.total / 2);
      if (left > 0) next = Math.min(next, left);
    }
    return next;
  }
}

function seenOf(workload: Workload): Omit<Seen, "told"> {
  const { snapshot, events } = workload;
  return {
    state: snapshot.state,
    started: snapshot.started_at !== null,
    failed: new Set(snapshot.jobs.filter((job) => job.status === "failed").map((job) => job.id)),
    seq: events.reduce((last, event) => Math.max(last, event.seq), 0),
  };
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// What this page knows of one session: facts and jobs as the kernel sent them, the service's clock, the commands given.
import { standIns } from "#shared/blank";
import { ServiceClock } from "#shared/clock";
import type { JobRecord, SessionSnapshot } from "#shared/snapshot.gen";
import { continueSums, sumsOf } from "#shared/sums";
import { afterEnd, Commands } from "./commands";
import { Connection } from "./connection";
import { deliverPlotly } from "./plotly";
import { ownPrices } from "./prices";
import {
  applyLists,
  fillRow,
  isPatch,
  patchRow,
  readRow,
  type Facts,
  type FactsPart,
  type FromKernel,
  type FullRow,
  type PanelModel,
  type Row,
  type ToKernel,
} from "./protocol";

/**
 * `connecting`: no word from the kernel yet; `live`; `silent`: no answer; `broken`: the page has no connection to it;
 * `lost`: the front end saw it go.
 */
export type Link = "connecting" | "live" | "silent" | "broken" | "lost";

const SILENT_AFTER_MS = 3000;
/** At most so long between two times a question is asked: a busy kernel answers all of them in the end. */
const PATIENCE_MS = 60_000;
const NOTIFY_EVERY_MS = 250;

export class SessionStore {
  snapshot: SessionSnapshot;
  readonly clock: ServiceClock;
  link: Link = "connecting";
  /** False until the kernel sent the jobs: after a reload the facts are there before them. */
  jobsKnown = false;
  readonly commands = new Commands(this);

  private facts: Facts;
  private readonly connection: Connection;
  private revision = 0;
  private readonly rows: FullRow[] = [];
  private readonly positions = new Map<string, number>();
  private jobs: JobRecord[] = [];
  private readonly listeners = new Set<() => void>();
  private notifyTimer: ReturnType<typeof setTimeout> | undefined;
  private silentTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly unwatchPrices: () => void;
  private lastNotified = 0;
  private patience = SILENT_AFTER_MS;
  private heardAt = -Infinity;
  private askedOfGap = false;

  constructor(readonly model: PanelModel) {
    this.facts = model.get("facts") as Facts;
    const { answered_at, clock_offset, service } = this.facts;
    const sinceAnswer = Date.now() / 1000 + clock_offset - answered_at;
    this.clock = new ServiceClock(answered_at + sinceAnswer * service.speed, service.speed);
    this.snapshot = this.assemble();
    this.onMessage = this.onMessage.bind(this);
    this.onFacts = this.onFacts.bind(this);
    this.onLink = this.onLink.bind(this);
    model.on("msg:custom", this.onMessage);
    model.on("change:facts", this.onFacts);
    model.on("comm_live_update", this.onLink);
    model.on("comm:close", this.onLink);
    this.connection = new Connection(model, (broken) => this.onConnection(broken));
    this.unwatchPrices = ownPrices().watch(() => this.changed());
    this.sync();
  }

  dispose(): void {
    this.model.off("msg:custom", this.onMessage);
    this.model.off("change:facts", this.onFacts);
    this.model.off("comm_live_update", this.onLink);
    this.model.off("comm:close", this.onLink);
    this.connection.dispose();
    this.commands.dispose();
    this.unwatchPrices();
    for (const timer of [this.notifyTimer, this.silentTimer]) clearTimeout(timer);
    this.listeners.clear();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  now(): number {
    return this.clock.now();
  }

  get sessionId(): string {
    return this.facts.session_id;
  }

  get serverAnswers(): boolean {
    return this.connection.serverAnswers;
  }

  /** How many jobs the session has, without strays. */
  get total(): number {
    return Object.values(this.facts.counts).reduce((sum, count) => sum + count, 0);
  }

  get done(): number {
    return this.facts.counts.done;
  }

  /** Ask the kernel what changed since we last heard, and what time it is there. */
  sync(): void {
    this.send({ type: "sync", revision: this.jobsKnown ? this.revision : -1 });
    clearTimeout(this.silentTimer);
    this.silentTimer = setTimeout(() => {
      if (this.link === "lost" || this.connection.broken) return;
      if (performance.now() - this.heardAt >= SILENT_AFTER_MS) this.setLink("silent");
      // what was asked on a shell that a cell blocks is answered when asked on another
      this.patience = Math.min(PATIENCE_MS, 2 * this.patience);
      this.sync();
    }, this.patience);
  }

  private answered(): void {
    clearTimeout(this.silentTimer);
    this.patience = SILENT_AFTER_MS;
    this.askedOfGap = false;
  }

  send(message: ToKernel): boolean {
    try {
      this.model.send(message);
      return true;
    } catch {
      this.setLink("lost");
      return false;
    }
  }

  private onMessage(message: FromKernel, buffers?: DataView[]): void {
    if (typeof message !== "object" || message === null) return;
    this.heardAt = performance.now();
    if (message.type === "ack") this.commands.onAck(message);
    else if (message.type === "asset") this.onAsset(message, buffers ?? []);
    else if (message.type === "jobs") this.onJobs(message);
    else if (message.type === "facts") this.takeFacts(message);
    else return;
    if (this.link !== "live") this.setLink("live");
  }

  private onAsset(message: Extract<FromKernel, { type: "asset" }>, buffers: DataView[]): void {
    const [buffer] = buffers;
    if (message.name === "plotly" && buffer) deliverPlotly(buffer, message.encoding === "gzip");
  }

  private onJobs(message: Extract<FromKernel, { type: "jobs" }>): void {
    // one message went missing: ask again instead of showing jobs with holes
    const from = message.reset ? 0 : (message.since ?? message.revision - 1);
    if (from > this.revision || (!message.reset && !this.jobsKnown)) {
      if (!this.askedOfGap) this.sync();
      this.askedOfGap = true;
      return;
    }
    this.answered();
    if (message.revision < this.revision && !message.reset) return;
    if (message.revision === this.revision && this.jobsKnown && message.since === undefined) return;
    if (message.reset) {
      this.rows.length = 0;
      this.positions.clear();
    }
    this.revision = message.revision;
    this.jobsKnown = true;
    const touched = new Map<string, JobRecord>();
    for (const row of message.jobs) {
      const job = this.takeRow(row);
      if (job) touched.set(job.id, job);
    }
    this.jobs = message.reset ? inOrder([...touched.values()]) : mergeJobs(this.jobs, touched);
    this.facts = { ...this.facts, ...latestTimes(this.facts, touched.values()) };
    this.takeFacts(message);
  }

  private takeRow(row: Row): JobRecord | null {
    let position: number;
    let full: FullRow;
    if (isPatch(row)) {
      position = row[0];
      const known = this.rows[position];
      if (!known) return null;
      full = patchRow(known, row);
    } else {
      position = this.positions.get(row[0]) ?? this.rows.length;
      full = fillRow(row);
      this.positions.set(row[0], position);
    }
    this.rows[position] = full;
    return readRow(full, this.facts.epoch);
  }

  private takeFacts(part: FactsPart): void {
    if (this.jobsKnown) this.answered();
    if (part.at !== undefined) {
      this.clock.anchor(part.at, part.facts?.service?.speed ?? this.facts.service.speed);
    }
    const now = this.clock.now();
    this.facts = {
      ...this.facts,
      // news came, so the service has answered
      ...(this.facts.problem === null ? { answered_at: now } : {}),
      clock_offset: now - Date.now() / 1000,
      ...part.facts,
      ...applyLists(this.facts, part.lists),
      ...(this.jobsKnown ? { counts: sumsOf(this.jobs).counts } : {}),
    };
    // a saved notebook and a view that opens later read the model; save_changes is never called
    this.model.set("facts", this.facts);
    this.snapshot = this.assemble();
    // nothing more will be told of it, so nothing more can be missed
    if (this.facts.state === "closed" && this.facts.poll_interval === 0) this.connection.dispose();
    this.notifySoon();
  }

  private onFacts(): void {
    const facts = this.model.get("facts") as Facts;
    if (facts === this.facts || !facts) return;
    this.facts = facts;
    this.snapshot = this.assemble();
    this.notifySoon();
    // the front end restored its state from the kernel: jobs and the time may be older than that
    this.sync();
  }

  private onLink(): void {
    this.setLink("lost");
    // the front end may have reconnected to the same kernel: then it answers, and the panel is live again
    this.sync();
  }

  private onConnection(broken: boolean): void {
    // what was told during a break, however short, may have gone past this page
    if (!broken) this.sync();
    else if (this.link !== "lost") this.setLink("broken");
  }

  private setLink(link: Link): void {
    if (this.link === link) return;
    const back = link === "live" && this.link !== "connecting";
    this.link = link;
    if (back) this.commands.back();
    else if (link === "lost" || link === "broken") this.commands.gone();
    this.changed();
  }

  /** The reader's own price, for as long as the page lives; null while the plan's holds. */
  get ownPrice(): number | null {
    return ownPrices().of(this.facts.session_id);
  }

  setPrice(dollarsPerSecond: number | null): void {
    ownPrices().set(this.facts.session_id, dollarsPerSecond);
  }

  private assemble(): SessionSnapshot {
    const { ownPrice: price, facts } = this;
    const jobs = this.jobsKnown ? this.jobs : standIns(facts.counts, facts.answered_at);
    const service = price === null ? facts.service : { ...facts.service, price_per_second: price };
    const told = { ...facts, service, jobs };
    const { ended } = this.commands;
    // a kernel that is heard of tells by itself what came of it
    return ended && this.link !== "live" ? afterEnd(told, ended) : told;
  }

  /** Something else than the kernel's facts is new. */
  changed(): void {
    this.snapshot = this.assemble();
    this.notify();
  }

  private notifySoon(): void {
    const wait = this.lastNotified + NOTIFY_EVERY_MS - Date.now();
    // a wait longer than the interval means that this machine's clock was set back
    if (wait <= 0 || wait > NOTIFY_EVERY_MS) this.notify();
    else this.notifyTimer ??= setTimeout(() => this.notify(), wait);
  }

  private notify(): void {
    clearTimeout(this.notifyTimer);
    this.notifyTimer = undefined;
    this.lastNotified = Date.now();
    for (const listener of [...this.listeners]) listener();
  }
}

function mergeJobs(jobs: JobRecord[], touched: Map<string, JobRecord>): JobRecord[] {
  const merged = jobs.slice();
  const left = new Map(touched);
  let same = jobs.length;
  // what changes is among the latest, as a rule: look from the end
  for (let i = merged.length - 1; i >= 0 && left.size > 0; i--) {
    const changed = left.get(merged[i]!.id);
    if (!changed) continue;
    merged[i] = changed;
    left.delete(changed.id);
    same = i;
  }
  merged.push(...left.values());
  const ordered = inOrder(merged);
  if (ordered === merged) continueSums(jobs, merged, same);
  return ordered;
}

/** These two change with every job, so the kernel sends them only where this is not what they are. */
function latestTimes(facts: Facts, jobs: Iterable<JobRecord>): Partial<Facts> {
  let { last_job_started: started, last_job_completed: completed } = facts;
  for (const job of jobs) {
    if (job.stray || job.started === null) continue;
    started = Math.max(started ?? -Infinity, job.started);
    if (job.finished !== null) completed = Math.max(completed ?? -Infinity, job.finished);
  }
  return { last_job_started: started, last_job_completed: completed };
}

/** The same list when it is in order already, as nearly always. */
function inOrder(jobs: JobRecord[]): JobRecord[] {
  for (let i = 1; i < jobs.length; i++) {
    if (jobs[i - 1]!.created > jobs[i]!.created) {
      return jobs.toSorted((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
    }
  }
  return jobs;
}

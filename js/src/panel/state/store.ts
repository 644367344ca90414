// The state of one session on this page: facts and jobs as the kernel sent them, the service's clock, the commands.
import { placeholders } from "#shared/placeholders";
import { ServiceClock } from "#shared/clock";
import { pageClock } from "#shared/pageClock";
import type { Goal, Series } from "#shared/objective";
import type { FedSession } from "#shared/serverTypes";
import {
  READ_SERIES,
  type JobRecord,
  type SeriesPoint,
  type SessionSnapshot,
} from "#shared/snapshot.gen";
import { sumsOf } from "#shared/jobAggregates";
import { afterEnd, Commands } from "./commands";
import { Connection } from "./connection";
import { takeFile } from "./files";
import { JobRows } from "./jobRows";
import { deliverPlotly } from "./plotlyAsset";
import { ownPrices } from "./ownPrices";
import { serverSessionFeed, withServerFacts } from "./serverFacts";
import {
  applyLists,
  type Ending,
  type Facts,
  type FactsPart,
  type FromKernel,
  type PanelModel,
  type ToKernel,
} from "./protocol";
import { SeriesLog } from "./series";

/**
 * `connecting`: no word from the kernel yet; `live`; `silent`: no answer; `broken`: the page has no connection to it;
 * `lost`: the front end saw it go.
 */
export type ConnectionState = "connecting" | "live" | "silent" | "broken" | "lost";

const SILENT_AFTER_MS = 3000;
/** At most so long between two times a question is asked: a busy kernel answers all of them in the end. */
const LONGEST_RETRY_MS = 60_000;
/** The same while the jobs are not known, which is all that a reader waits for. */
const LONGEST_UNKNOWN_MS = 12_000;
const NOTIFY_EVERY_MS = 250;

export class SessionStore {
  snapshot: SessionSnapshot;
  readonly clock: ServiceClock;
  link: ConnectionState = "connecting";
  /** False until the kernel sent the jobs: after a reload the facts are there before them. */
  jobsKnown = false;
  readonly commands = new Commands(this);
  readonly series = new SeriesLog();
  /** What the reader chose to see as the objective: a series, and which of its values is best. */
  objective: { name: string | null; goal: Goal; chosen?: true } = { name: null, goal: "minimum" };
  /** The job that the reader has picked, in whichever view. */
  selected: string | null = null;

  #facts: Facts;
  #fed: FedSession | undefined;
  #labClock: FedSession["now"] | undefined;
  #unfollow: (() => void) | undefined;
  readonly #connection: Connection;
  #revision = 0;
  readonly #rows = new JobRows();
  readonly #listeners = new Set<() => void>();
  #notifyTimer: ReturnType<typeof setTimeout> | undefined;
  #silentTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #unwatchPrices: () => void;
  #lastNotified = 0;
  #retryMs = SILENT_AFTER_MS;
  #heardAt = -Infinity;
  #askedOfGap = false;
  #exported = "";

  constructor(readonly model: PanelModel) {
    this.#facts = model.get("facts") as Facts;
    const { answered_at, clock_offset, service } = this.#facts;
    const sinceAnswer = Date.now() / 1000 + clock_offset - answered_at;
    this.clock = new ServiceClock(answered_at + sinceAnswer * service.speed, service.speed);
    this.snapshot = this.#assemble();
    model.on("msg:custom", this.#onMessage);
    model.on("change:facts", this.#onFacts);
    model.on("comm_live_update", this.#onLink);
    model.on("comm:close", this.#onLink);
    this.#connection = new Connection(model, (broken) => this.#onConnection(broken));
    this.#unwatchPrices = ownPrices().watch(() => this.changed());
    this.sync();
  }

  dispose(): void {
    this.model.off("msg:custom", this.#onMessage);
    this.model.off("change:facts", this.#onFacts);
    this.model.off("comm_live_update", this.#onLink);
    this.model.off("comm:close", this.#onLink);
    this.#connection.dispose();
    this.#unfollow?.();
    this.commands.dispose();
    this.#unwatchPrices();
    for (const timer of [this.#notifyTimer, this.#silentTimer]) clearTimeout(timer);
    this.#listeners.clear();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The instant to draw, by the clock of side panel and status bar where they have one for this session's service. */
  now(): number {
    return this.#labClock?.() ?? this.clock.now(pageClock().instant());
  }

  /** Whether the Jupyter server tells how the session is, in place of the kernel. */
  get fed(): boolean {
    return this.#fed !== undefined && this.link !== "live" && this.link !== "connecting";
  }

  get sessionId(): string {
    return this.#facts.session_id;
  }

  get serverAnswers(): boolean {
    return this.#connection.serverAnswers;
  }

  /** How many jobs the session has, without strays. */
  get total(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }

  get done(): number {
    return this.#counts.done;
  }

  get #counts(): Facts["counts"] {
    return (this.fed && this.#fed?.snapshot.counts) || this.#facts.counts;
  }

  /** Ask the kernel what changed since we last heard, and what time it is there. */
  sync(): void {
    const revision = this.jobsKnown ? this.#revision : -1;
    this.#follow();
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    this.send({ type: "sync", revision, points: this.series.count, zone });
    clearTimeout(this.#silentTimer);
    this.#silentTimer = setTimeout(() => {
      // a page that has never heard of the jobs goes on asking: nobody will tell it by themselves
      if ((this.link === "lost" && this.jobsKnown) || this.#connection.broken) return;
      if (performance.now() - this.#heardAt >= SILENT_AFTER_MS) this.#setLink("silent");
      // what was asked on a shell that a cell blocks is answered when asked on another
      const longest = this.jobsKnown ? LONGEST_RETRY_MS : LONGEST_UNKNOWN_MS;
      this.#retryMs = Math.min(longest, 2 * this.#retryMs);
      this.sync();
    }, this.#retryMs);
  }

  #answered(): void {
    clearTimeout(this.#silentTimer);
    this.#retryMs = SILENT_AFTER_MS;
    this.#askedOfGap = false;
  }

  send(message: ToKernel): boolean {
    try {
      this.model.send(message);
      return true;
    } catch {
      this.#setLink("lost");
      return false;
    }
  }

  readonly #onMessage = (message: FromKernel, buffers?: DataView[]): void => {
    if (typeof message !== "object" || message === null) return;
    this.#heardAt = performance.now();
    if (message.type === "ack") this.commands.onAck(message);
    else if (message.type === "asset") this.#onAsset(message, buffers ?? []);
    else if (message.type === "files") this.#onFiles(message, buffers ?? []);
    else if (message.type === "jobs") this.#onJobs(message);
    else if (message.type === "facts") this.#takeFacts(message);
    else return;
    if (this.link !== "live") this.#setLink("live");
  };

  #onAsset(message: Extract<FromKernel, { type: "asset" }>, buffers: DataView[]): void {
    const [buffer] = buffers;
    if (message.name === "plotly" && buffer) deliverPlotly(buffer, message.encoding === "gzip");
  }

  /** Ask the kernel for the session as a file. */
  export(ending: Ending): void {
    this.#exported = String(Math.random());
    this.send({ type: "export", id: this.#exported, ending });
  }

  #onFiles(message: Extract<FromKernel, { type: "files" }>, buffers: DataView[]): void {
    // another page that shows this panel may have asked
    if (message.id !== this.#exported) return;
    this.#exported = "";
    message.names.forEach((name, at) => buffers[at] && takeFile(name, buffers[at]));
  }

  #onJobs(message: Extract<FromKernel, { type: "jobs" }>): void {
    // one message went missing: ask again instead of showing jobs with holes
    const from = message.reset ? 0 : (message.since ?? message.revision - 1);
    if (from > this.#revision || (!message.reset && !this.jobsKnown)) {
      this.#askForGap();
      return;
    }
    this.#answered();
    if (message.revision < this.#revision && !message.reset) return;
    if (message.revision === this.#revision && this.jobsKnown && message.since === undefined)
      return;
    this.#revision = message.revision;
    this.jobsKnown = true;
    const touched = this.#rows.take(message.jobs, message.reset === true, this.#facts.epoch);
    this.#facts = { ...this.#facts, ...latestTimes(this.#facts, touched) };
    this.#takeFacts(message);
  }

  #askForGap(): void {
    if (!this.#askedOfGap) this.sync();
    this.#askedOfGap = true;
  }

  #takeFacts(part: FactsPart): void {
    if (this.jobsKnown) this.#answered();
    if (part.at !== undefined) {
      this.clock.anchor(part.at, part.facts?.service?.speed ?? this.#facts.service.speed);
    }
    const now = this.clock.now();
    this.#facts = {
      ...this.#facts,
      // news came, so the service has answered
      ...(this.#facts.problem === null ? { answered_at: now } : {}),
      clock_offset: now - Date.now() / 1000,
      ...part.facts,
      ...applyLists(this.#facts, part.lists),
      ...(this.jobsKnown ? { counts: sumsOf(this.#rows.jobs).counts } : {}),
    };
    // without the jobs they are asked for again, together with those
    if (part.points && this.jobsKnown) {
      const jobAt = (row: number) => this.#rows.idAt(row);
      if (!this.series.take(part.points, this.#facts.epoch, jobAt)) this.#askForGap();
    }
    // a saved notebook and a view that opens later read the model; save_changes is never called
    this.model.set("facts", this.#facts);
    this.snapshot = this.#assemble();
    // nothing more will be told of it, so nothing more can be missed
    if (this.#facts.state === "closed" && this.#facts.poll_interval === 0)
      this.#connection.dispose();
    this.#notifySoon();
  }

  readonly #onFacts = (): void => {
    const facts = this.model.get("facts") as Facts;
    if (facts === this.#facts || !facts) return;
    this.#facts = facts;
    this.snapshot = this.#assemble();
    this.#notifySoon();
    // the front end restored its state from the kernel: jobs and the time may be older than that
    this.sync();
  };

  readonly #onLink = (): void => {
    this.#setLink("lost");
    // the front end may have reconnected to the same kernel: then it answers, and the panel is live again
    this.sync();
  };

  #onConnection(broken: boolean): void {
    // what was told during a break, however short, may have gone past this page
    if (!broken) this.sync();
    else if (this.link !== "lost") this.#setLink("broken");
  }

  #setLink(link: ConnectionState): void {
    if (this.link === link) return;
    const back = link === "live" && this.link !== "connecting";
    this.link = link;
    if (back) this.commands.back();
    else if (link === "lost" || link === "broken") this.commands.gone();
    this.changed();
  }

  /** The series that is shown as the objective; null while there is none. */
  get shownSeries(): Series | null {
    return this.series.shown(this.objective.name);
  }

  /** The shown series, where the user logs it or the reader has chosen it; values are read by themselves, too. */
  get declaredSeries(): Series | null {
    const shown = this.shownSeries;
    return shown?.name !== READ_SERIES || this.objective.chosen ? shown : null;
  }

  showObjective(change: Partial<SessionStore["objective"]>): void {
    this.objective = { ...this.objective, ...change, chosen: true };
    this.changed();
  }

  readonly select = (id: string | null): void => {
    this.selected = id;
    for (const listener of this.#listeners) listener();
  };

  /** The value of a job, for its row. */
  resultOf(job: JobRecord): SeriesPoint | undefined {
    return this.series.ofJob(job.id, this.shownSeries);
  }

  /** A job's number in the order of submission; null when it is not known. */
  numberOf(id: string | null): number | null {
    const position = id === null ? undefined : this.#rows.positionOf(id);
    return position === undefined ? null : position + 1;
  }

  /** Hear what the Jupyter server knows; JupyterLab's extension may come to the page after the panel. */
  #follow(): void {
    if (!this.sessionId) return;
    this.#unfollow ??= serverSessionFeed()?.(this.sessionId, (fed) => {
      const used = this.fed;
      this.#fed = fed;
      this.#labClock = fed?.now ?? this.#labClock;
      if (!used && !this.fed) return;
      this.snapshot = this.#assemble();
      this.#notifySoon();
    });
  }

  /** What is still to come with `--expect`; null while nothing can be said. */
  get toCome(): Facts["to_come"] {
    return this.link === "lost" ? null : this.#facts.to_come;
  }

  /** What the work so far takes and uses on IBM, as the kernel said last; null before a job has ended. */
  get forecast(): Facts["forecast"] {
    return this.#facts.forecast;
  }

  /** The reader's own price, for as long as the page lives; null while the plan's holds. */
  get ownPrice(): number | null {
    return ownPrices().of(this.#facts.session_id);
  }

  setPrice(dollarsPerSecond: number | null): void {
    ownPrices().set(this.#facts.session_id, dollarsPerSecond);
  }

  #assemble(): SessionSnapshot {
    const { ownPrice: price } = this;
    const facts = this.#facts;
    const jobs = this.jobsKnown ? this.#rows.jobs : placeholders(facts.counts, facts.answered_at);
    const service =
      price === null
        ? facts.service
        : { ...facts.service, price_per_second: price, price_source: "own" as const };
    const told = { ...facts, service, jobs };
    if (this.#fed && this.fed) return withServerFacts(told, this.#fed.snapshot);
    const { ended } = this.commands;
    // a kernel that is heard of tells by itself what came of it
    return ended && this.link !== "live" ? afterEnd(told, ended) : told;
  }

  /** Something else than the kernel's facts is new. */
  changed(): void {
    this.snapshot = this.#assemble();
    this.#notify();
  }

  #notifySoon(): void {
    const wait = this.#lastNotified + NOTIFY_EVERY_MS - Date.now();
    // a wait longer than the interval means that this machine's clock was set back
    if (wait <= 0 || wait > NOTIFY_EVERY_MS) this.#notify();
    else this.#notifyTimer ??= setTimeout(() => this.#notify(), wait);
  }

  #notify(): void {
    clearTimeout(this.#notifyTimer);
    this.#notifyTimer = undefined;
    this.#lastNotified = Date.now();
    for (const listener of [...this.#listeners]) listener();
  }
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

// What the reader asked of the session or of one of its jobs, and what came of it. The kernel is asked first. Where it is
// gone, out of reach or busy, JupyterLab's extension has the Jupyter server end the session; to end one twice is harmless.
import { pendingJobs } from "#shared/countdowns";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import type { Action, FromKernel, ToKernel } from "./protocol";
import type { Link } from "./store";

type Deed = Exclude<Action, "cancel_job">;

/** Why the Jupyter server was asked. */
export type Why = "lost" | "broken" | "busy";

export interface Command {
  id: string;
  action: Action;
  job: string | null;
  /** How far it came with the kernel. */
  stage: "requested" | "waiting" | "acknowledged" | "done" | "failed";
  message: string;
  /** How far it came with the Jupyter server; null while that was not asked. */
  server: { stage: "asked" | "done" | "failed"; why: Why; message: string } | null;
}

export function isDone({ stage, server }: Command): boolean {
  return stage === "done" || server?.stage === "done";
}

/** Whether nothing more will come of it. */
export function isOver(command: Command): boolean {
  return isDone(command) || (command.stage === "failed" && command.server?.stage !== "asked");
}

/** What a session is known to have come to, although its kernel has not said so. */
export interface Ended {
  deed: Deed;
  /** Service clock. */
  at: number;
  /** Whether the server has said that it is closed: nothing runs in it any more, whatever was known of its jobs. */
  over: boolean;
}

const OVER = /^\w+ closed\.|closed already/;

/** The session as the Jupyter server left it, as far as can be told from what the kernel told last. */
export function afterEnd(snapshot: SessionSnapshot, { deed, at, over }: Ended): SessionSnapshot {
  if (snapshot.state === "closed") return snapshot;
  const lost = { status: "cancelled", finished: at } as const;
  const jobs =
    deed === "close"
      ? snapshot.jobs
      : snapshot.jobs.map((job) =>
          job.status === "queued" && !job.stray ? { ...job, ...lost } : job,
        );
  const reason = deed === "close" ? "session_closed_early" : "session_cancelled";
  const ending = { ...snapshot, jobs, accepting_jobs: false, state_reason: reason };
  // what runs is finished first
  if (!over && pendingJobs(ending).length > 0) return ending;
  const active = snapshot.active_periods.map(([from, to]): [number, number] => [from, to ?? at]);
  return { ...ending, state: "closed", closed_at: at, active_periods: active };
}

/** What JupyterLab's extension offers to panels: resolves and rejects with a sentence. */
type Ender = (deed: Deed, sessionId: string) => Promise<string>;

const ENDER = Symbol.for("qsession-widgets.ender.1");

function ender(): Ender | null {
  const offered = (globalThis as unknown as Record<symbol, unknown>)[ENDER];
  return typeof offered === "function" ? (offered as Ender) : null;
}

const WAITING_AFTER_MS = 2000;

/** What commands need of their store. */
interface Line {
  readonly link: Link;
  /** Whether the Jupyter server is thought to answer this page. */
  readonly serverAnswers: boolean;
  readonly sessionId: string;
  now(): number;
  send(message: ToKernel): boolean;
  /** Ask the kernel how things are. */
  sync(): void;
  changed(): void;
}

export class Commands {
  /** The latest to the whole session, and the latest for each job. */
  session: Command | null = null;
  readonly jobs = new Map<string, Command>();
  /** Set when the Jupyter server ended the session. */
  ended: Ended | null = null;

  private readonly timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(private readonly line: Line) {}

  dispose(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** Whether the session can be ended without its kernel. */
  get hasServer(): boolean {
    return this.line.serverAnswers && ender() !== null;
  }

  request(action: Action, job: string | null = null): void {
    const { id } = this.remember({
      id: newId(),
      action,
      job,
      stage: "requested",
      message: "",
      server: null,
    });
    if (this.cutOff && job === null && this.hasServer) this.askServer(id);
    else this.give(id);
    this.lookAgain(id);
  }

  dismiss(): void {
    this.session = null;
    this.line.changed();
  }

  onAck(ack: Extract<FromKernel, { type: "ack" }>): void {
    const command = this.find(ack.id);
    if (!command || isOver(command) || command.stage === "failed") return;
    this.remember({ ...command, stage: ack.stage, message: ack.message ?? "" });
  }

  /** The kernel is heard of again: what was asked may not have arrived, or its answer; the same id is the same command. */
  back(): void {
    for (const { id } of this.unanswered()) this.give(id);
  }

  /** The kernel is gone or out of reach. */
  gone(): void {
    for (const { id } of this.unanswered()) this.lookAgain(id);
  }

  private get cutOff(): boolean {
    return this.line.link === "lost" || this.line.link === "broken";
  }

  private give(id: string): void {
    const { action, job } = this.find(id)!;
    const message: ToKernel = { type: "command", id, action, ...(job === null ? {} : { job }) };
    if (this.line.send(message)) return;
    if (job === null && this.hasServer) this.askServer(id);
    else this.change(id, { stage: "failed", message: "The kernel is gone, so nothing was sent." });
  }

  /** After a while, say what it waits for, and ask the Jupyter server in place of a kernel that took no notice. */
  private lookAgain(id: string): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      const command = this.find(id);
      if (!command || isOver(command)) return;
      if (command.stage === "requested") this.change(id, { stage: "waiting" });
      const unheard = command.stage === "requested" || command.stage === "waiting";
      if ((unheard || this.cutOff) && command.job === null && this.hasServer) this.askServer(id);
    }, WAITING_AFTER_MS);
    this.timers.add(timer);
  }

  private askServer(id: string): void {
    const command = this.find(id);
    const end = ender();
    if (!command || command.server !== null || !end) return;
    const { link } = this.line;
    const why = link === "lost" || link === "broken" ? link : "busy";
    const deed = command.action as Deed;
    this.change(id, { server: { stage: "asked", why, message: "" } });
    void Promise.resolve()
      .then(() => end(deed, this.line.sessionId))
      .then(
        (message) => {
          this.ended = { deed, at: this.line.now(), over: OVER.test(message) };
          this.change(id, { server: { stage: "done", why, message } });
          // whether the kernel tells what came of it decides whose word the panel shows
          if (!this.cutOff) this.line.sync();
        },
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          const alone = this.line.link === "lost";
          const server = { stage: "failed", why, message } as const;
          this.change(id, { server, ...(alone ? { stage: "failed" } : {}) });
        },
      );
  }

  private unanswered(): Command[] {
    const given = [...this.jobs.values()];
    if (this.session) given.push(this.session);
    return given.filter((command) => !isOver(command));
  }

  private find(id: string): Command | undefined {
    if (this.session?.id === id) return this.session;
    for (const command of this.jobs.values()) if (command.id === id) return command;
    return undefined;
  }

  private change(id: string, changes: Partial<Command>): void {
    const command = this.find(id);
    // nobody waits for what another command took the place of; what it did to the session counts all the same
    if (command) this.remember({ ...command, ...changes });
    else this.line.changed();
  }

  private remember(command: Command): Command {
    if (command.job === null) this.session = command;
    else this.jobs.set(command.job, command);
    this.line.changed();
    return command;
  }
}

/** Random enough to name a command. crypto.randomUUID is missing where Jupyter is served over plain HTTP. */
function newId(): string {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}

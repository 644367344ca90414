// Commands to the session or to one of its jobs, and their progress. The kernel is asked first. Where it is gone, out of
// reach or busy, JupyterLab's extension has the Jupyter server end the session; to end one twice is harmless.
import { t } from "#shared/translation";
import type { CommandProgress } from "#shared/messages/commands";
import { pendingJobs } from "#shared/metrics";
import { END_SESSION, type EndSession } from "#shared/offers";
import { endResult, type EndAction } from "#shared/serverTypes";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import type { Action, FromKernel, ToKernel } from "./protocol";
import type { ConnectionState } from "./store";

export interface Command extends CommandProgress {
  id: string;
  job: string | null;
}

export function isDone({ stage, server }: Command): boolean {
  return stage === "done" || server?.stage === "done";
}

/** Whether it has failed or is done, and no answer is outstanding. */
export function isOver(command: Command): boolean {
  return isDone(command) || (command.stage === "failed" && command.server?.stage !== "asked");
}

/** An end of the session by the Jupyter server, which the kernel has not reported. */
export interface Ended {
  action: EndAction;
  /** Service clock. */
  at: number;
  /** Whether the server reported it closed: nothing runs in it any more, whatever was known of its jobs. */
  over: boolean;
}

/** The session as the Jupyter server left it, derived from the last facts of the kernel. */
export function afterEnd(snapshot: SessionSnapshot, { action, at, over }: Ended): SessionSnapshot {
  if (snapshot.state === "closed") return snapshot;
  const lost = { status: "cancelled", finished: at } as const;
  const jobs =
    action === "close"
      ? snapshot.jobs
      : snapshot.jobs.map((job) =>
          job.status === "queued" && !job.stray ? { ...job, ...lost } : job,
        );
  const ending = {
    ...snapshot,
    jobs,
    accepting_jobs: false,
    state_reason: action === "close" ? null : "session_cancelled",
    end_reason: snapshot.end_reason ?? ("lab" as const),
  };
  // what runs is finished first
  if (!over && pendingJobs(ending).length > 0) return ending;
  const active = snapshot.active_periods.map(([from, to]): [number, number] => [from, to ?? at]);
  return { ...ending, state: "closed", closed_at: at, active_periods: active };
}

function serverSessionControl(): EndSession | null {
  const offered = (globalThis as unknown as Record<symbol, unknown>)[END_SESSION];
  return typeof offered === "function" ? (offered as EndSession) : null;
}

const WAITING_AFTER_MS = 2000;

/** The parts of the store that commands use. */
interface CommandChannel {
  readonly link: ConnectionState;
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

  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  readonly #channel: CommandChannel;

  constructor(channel: CommandChannel) {
    this.#channel = channel;
  }

  dispose(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Whether the session can be ended without its kernel. */
  get hasServer(): boolean {
    return this.#channel.serverAnswers && serverSessionControl() !== null;
  }

  request(action: Action, job: string | null = null): void {
    const { id } = this.#remember({
      id: newId(),
      action,
      job,
      stage: "requested",
      message: "",
      result: null,
      server: null,
    });
    if (this.#cutOff && job === null && this.hasServer) this.#askServer(id);
    else this.#sendToKernel(id);
    this.#lookAgain(id);
  }

  dismiss(): void {
    this.session = null;
    this.#channel.changed();
  }

  onAck(ack: Extract<FromKernel, { type: "ack" }>): void {
    const command = this.#find(ack.id);
    if (!command || isOver(command) || command.stage === "failed") return;
    const { stage, message = "" } = ack;
    const result = stage === "done" ? endResult(command.action, ack, command.job) : null;
    this.#remember({ ...command, stage, message, result });
  }

  /** The kernel answers again: a command or its answer may be lost, so each is sent again under the same id. */
  back(): void {
    for (const { id } of this.#unanswered()) this.#sendToKernel(id);
  }

  /** The kernel is gone or out of reach. */
  gone(): void {
    for (const { id } of this.#unanswered()) this.#lookAgain(id);
  }

  get #cutOff(): boolean {
    return this.#channel.link === "lost" || this.#channel.link === "broken";
  }

  #sendToKernel(id: string): void {
    const { action, job } = this.#find(id)!;
    const message: ToKernel = { type: "command", id, action, ...(job === null ? {} : { job }) };
    if (this.#channel.send(message)) return;
    if (job === null && this.hasServer) this.#askServer(id);
    else
      this.#change(id, { stage: "failed", message: t`The kernel is gone, so nothing was sent.` });
  }

  /** After two seconds, mark it as waiting, and ask the Jupyter server in place of a kernel that did not answer. */
  #lookAgain(id: string): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const command = this.#find(id);
      if (!command || isOver(command)) return;
      if (command.stage === "requested") this.#change(id, { stage: "waiting" });
      const unheard = command.stage === "requested" || command.stage === "waiting";
      if ((unheard || this.#cutOff) && command.job === null && this.hasServer) this.#askServer(id);
    }, WAITING_AFTER_MS);
    this.#timers.add(timer);
  }

  #askServer(id: string): void {
    const command = this.#find(id);
    const end = serverSessionControl();
    if (!command || command.server !== null || !end) return;
    const { link } = this.#channel;
    const why = link === "lost" || link === "broken" ? link : "busy";
    const action = command.action as EndAction;
    this.#change(id, { server: { stage: "asked", why, message: "", result: null } });
    void Promise.resolve()
      .then(() => end(action, this.#channel.sessionId))
      .then(
        (answer) => {
          const result = endResult(action, answer);
          const over = result?.code === "closed" || result?.code === "already_closed";
          this.ended = { action, at: this.#channel.now(), over };
          const { message = "" } = answer;
          this.#change(id, { server: { stage: "done", why, message, result } });
          // where the kernel answers, the panel shows its facts
          if (!this.#cutOff) this.#channel.sync();
        },
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          const alone = this.#channel.link === "lost";
          const server = { stage: "failed", why, message, result: null } as const;
          this.#change(id, { server, ...(alone ? { stage: "failed" } : {}) });
        },
      );
  }

  #unanswered(): Command[] {
    const given = [...this.jobs.values()];
    if (this.session) given.push(this.session);
    return given.filter((command) => !isOver(command));
  }

  #find(id: string): Command | undefined {
    if (this.session?.id === id) return this.session;
    for (const command of this.jobs.values()) if (command.id === id) return command;
    return undefined;
  }

  #change(id: string, changes: Partial<Command>): void {
    const command = this.#find(id);
    // a command that was replaced is not shown any more; its effect on the session still is
    if (command) this.#remember({ ...command, ...changes });
    else this.#channel.changed();
  }

  #remember(command: Command): Command {
    if (command.job === null) this.session = command;
    else this.jobs.set(command.job, command);
    this.#channel.changed();
    return command;
  }
}

/** Random enough to name a command. crypto.randomUUID is missing where Jupyter is served over plain HTTP. */
function newId(): string {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}

// Asks before a kernel ends, or a notebook's tab is closed, while a session that was opened there is still open.
// JupyterLab has no event that can be answered with no, so the calls that do it are wrapped on the objects that the
// page has; its own questions come as they always did, and nothing is ended before they are answered too.
import { t } from "#shared/translation";
import type { ISessionContext, ISessionContextDialogs } from "@jupyterlab/apputils";
import type { NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel, ServiceManager } from "@jupyterlab/services";
import { MessageLoop, type Message } from "@lumino/messaging";
import { which, type Workload } from "#shared/serverTypes";
import { holders, leftBy } from "../state/currentNotebook";
import type { Sessions } from "../state/overviewStore";
import type { Settings } from "../state/settings";
import { nameOf } from "#shared/messages/labels";

export type Choice = "close" | "leave" | "stay";
export type Occasion = "restart" | "shutdown" | "change" | "tab";

export interface GuardServices {
  ask(occasion: Occasion, workloads: Workload[]): Promise<Choice>;
  close(workload: Workload): Promise<{ ok: boolean; message: string }>;
  /** The end could not be asked for: say so. */
  failed(message: string): void;
  /** A connection to a kernel that has nothing to do, null when there is none; the caller lets go of it. */
  idleKernel(id: string): { kernel: Kernel.IKernelConnection; release(): void } | null;
}

/** The user's choice for a kernel, until it is carried out. */
interface Agreed {
  choice: Choice;
  workloads: Workload[];
}

/** Saving a notebook while its tab closes takes no longer than this. */
const CLOSING_MS = 15_000;

export class ShutdownGuard {
  private readonly agreed = new Map<string, Agreed>();
  private readonly wrapped = new WeakSet<object>();

  constructor(
    private readonly sessions: Sessions,
    private readonly settings: Settings,
    private readonly services: GuardServices,
  ) {}

  watchDialogs(dialogs: ISessionContextDialogs): void {
    const restart = dialogs.restart.bind(dialogs);
    dialogs.restart = async (context, ...rest) => {
      const id = kernelOf(context);
      const choice = await this.askAbout("restart", id);
      if (choice === "stay") return false;
      try {
        return await restart(context, ...rest);
      } finally {
        // the reader may have said no to JupyterLab's own question
        this.agreed.delete(id);
      }
    };
  }

  watchManager(manager: ServiceManager.IManager): void {
    const { kernels, sessions } = manager;
    const kernelOfSession = (id: string) =>
      [...sessions.running()].find((session) => session.id === id)?.kernel?.id ?? "";
    const all = () => [...sessions.running()].flatMap(({ kernel }) => (kernel ? [kernel.id] : []));
    for (const [shutting, kernelId] of [
      [kernels, (id: string) => id],
      [sessions, kernelOfSession],
    ] as const) {
      const { shutdown, shutdownAll } = shutting;
      shutting.shutdown = async (id) => {
        await this.before("shutdown", kernelId(id));
        return shutdown.call(shutting, id);
      };
      shutting.shutdownAll = async () => {
        try {
          await this.before("shutdown", ...all());
        } catch {
          // who asked for it must not go on: after an error JupyterLab would end the server all the same
          return new Promise<void>(() => undefined);
        }
        return shutdownAll.call(shutting);
      };
    }
  }

  watchNotebook(panel: NotebookPanel): void {
    if (this.wrapped.has(panel)) return;
    this.wrapped.add(panel);
    this.watchContext(panel.sessionContext);
    // after JupyterLab's own hook is in place, for the last one that came is asked first
    void panel.context.ready.then(() => {
      if (!panel.isDisposed) this.watchTab(panel);
    });
  }

  private watchContext(context: ISessionContext): void {
    const { restartKernel, shutdown, changeKernel } = context;
    context.restartKernel = async () => {
      const id = kernelOf(context);
      if (!this.agreed.has(id) && (await this.askAbout("restart", id)) === "stay") return;
      await this.carryOut(id);
      return restartKernel.call(context);
    };
    context.shutdown = async () => {
      const id = kernelOf(context);
      await this.before("shutdown", id);
      return shutdown.call(context);
    };
    context.changeKernel = async (options) => {
      const id = kernelOf(context);
      if ((await this.askAbout("change", id)) === "stay") return context.session?.kernel ?? null;
      await this.carryOut(id);
      return changeKernel.call(context, options);
    };
  }

  private watchTab(panel: NotebookPanel): void {
    let asked = false;
    let sure = false;
    MessageLoop.installMessageHook(panel, (_, message: Message) => {
      if (message.type !== "close-request" || sure) return true;
      const id = kernelOf(panel.sessionContext);
      if (!this.settings.on("askBeforeClosingTab") || !this.left(id).length) return true;
      if (!asked) {
        asked = true;
        void this.askAbout("tab", id).then((choice) => {
          asked = false;
          if (choice === "stay") return;
          // closing goes on as usual, and JupyterLab may still ask, and be told to stay
          sure = true;
          panel.close();
          this.whenClosed(panel, id).finally(() => (sure = false));
        });
      }
      return false;
    });
  }

  /** Waits for a tab to be gone; what was agreed on is forgotten when the reader changes their mind. */
  private async whenClosed(panel: NotebookPanel, id: string): Promise<void> {
    const begun = Date.now();
    let asking = false;
    const closed = await new Promise<boolean>((resolve) => {
      const looks = setInterval(() => {
        const asks = document.querySelector(".jp-Dialog") !== null;
        const answered = asking && !asks;
        asking ||= asks;
        if (!answered && (asks || Date.now() - begun < CLOSING_MS)) return;
        clearInterval(looks);
        resolve(panel.isDisposed);
      }, 200);
      panel.disposed.connect(() => {
        clearInterval(looks);
        resolve(true);
      });
    });
    if (closed) await this.carryOut(id);
    else this.agreed.delete(id);
  }

  private left(...kernelIds: string[]): Workload[] {
    return leftBy(this.sessions.workloads, kernelIds);
  }

  private async before(occasion: Occasion, ...kernelIds: string[]): Promise<void> {
    const key = kernelIds.join(" ");
    if (!this.agreed.has(key) && (await this.askAbout(occasion, ...kernelIds)) === "stay") {
      throw new Error(t`The kernel was left running, as you chose.`);
    }
    await this.carryOut(key);
  }

  private async askAbout(occasion: Occasion, ...kernelIds: string[]): Promise<Choice> {
    const wanted = occasion === "tab" ? "askBeforeClosingTab" : "askBeforeShutdown";
    const workloads = this.left(...kernelIds);
    if (workloads.length === 0 || !this.settings.on(wanted)) return "leave";
    const choice = await this.services.ask(occasion, workloads);
    if (choice !== "stay") this.agreed.set(kernelIds.join(" "), { choice, workloads });
    return choice;
  }

  private async carryOut(key: string): Promise<void> {
    const agreed = this.agreed.get(key);
    this.agreed.delete(key);
    if (!agreed) return;
    if (agreed.choice === "leave") {
      for (const workload of agreed.workloads) this.sessions.leave(which(workload));
      await Promise.all(agreed.workloads.map((workload) => this.letLive(workload, key)));
      return;
    }
    const done = await Promise.all(
      agreed.workloads.map((workload) => this.services.close(workload)),
    );
    for (const { ok, message } of done) if (!ok) this.services.failed(message);
  }

  /**
   * A kernel closes its sessions when it ends in order; one that is to be left open it has to be told of. A kernel that
   * is busy cannot hear that: as a rule it is killed then, and closes nothing, but that cannot be promised.
   */
  private async letLive(workload: Workload, key: string): Promise<void> {
    const ending = key.split(" ");
    const by = holders(workload).find(({ kernel_id: id }) => ending.includes(id));
    if (!by || by.on_exit === "leave") return;
    const connection = this.services.idleKernel(by.kernel_id);
    try {
      if (!connection) throw new Error(t`The kernel is busy.`);
      const asked = connection.kernel.requestExecute(
        {
          code: "",
          silent: true,
          store_history: false,
          user_expressions: { left: leave(workload) },
        },
        true,
      );
      const late = new Promise<never>((_, reject) => setTimeout(reject, LEAVE_MS));
      const reply = await Promise.race([asked.done, late]);
      const { left } = (reply.content as Expressions).user_expressions ?? {};
      if (left?.status !== "ok") throw new Error(t`The kernel did not do it.`);
    } catch {
      this.services.failed(
        t`${nameOf(workload)}: the kernel could not be told to leave it open, and may close it as it ends.`,
      );
    } finally {
      connection?.release();
    }
  }
}

function kernelOf(context: ISessionContext): string {
  return context.session?.kernel?.id ?? "";
}

const LEAVE_MS = 10_000;

interface Expressions {
  user_expressions?: Record<string, { status: string } | undefined>;
}

/** An expression for the kernel: one that leaves no name behind in the notebook. */
function leave(workload: Workload): string {
  const id = JSON.stringify(which(workload).id);
  return `get_ipython().run_line_magic("qsession_leave", ${id})`;
}

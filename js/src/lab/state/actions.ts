// Actions of the buttons and commands. Only workloads that the caller names are closed.
import { t } from "#shared/translation";
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { NotebookActions } from "@jupyterlab/notebook";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import { noun } from "#shared/consequences";
import {
  endResult,
  keyOf,
  which,
  type Device,
  type EndAction,
  type EndResult,
  type HistoryRow,
  type OpenCell,
  type Workload,
  type WorkloadRef,
} from "#shared/serverTypes";
import type { Feed } from "./overviewFeed";
import type { NotebookContext } from "./currentNotebook";
import { ended, RequestFailed } from "#shared/messages/outcomes";
import type { CloseResult, EndAnswer, Server } from "./serverApi";
import type { Sessions } from "./overviewStore";
import { attachLine } from "./attachLine";

const LOADED = "bool(get_ipython().find_line_magic('session'))";
const TRUE = "True";
const LOAD = "%load_ext qsession_widgets";
const ASK_KERNEL_MS = 2000;

/** The end of a workload as it was answered: a sentence to show, and the result where the answer names one. */
export interface EndOutcome {
  ok: boolean;
  message: string;
  result: EndResult | null;
}

export class Actions {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly server: Server,
    private readonly sessions: Sessions,
    private readonly feed: Feed,
    private readonly tracker: INotebookTracker | null,
  ) {}

  /** The current notebook, or the last one. */
  get notebook(): NotebookPanel | null {
    return this.tracker?.currentWidget ?? null;
  }

  get place(): NotebookContext | null {
    return this.notebook ? contextOf(this.notebook) : null;
  }

  /** Close or cancel a workload. */
  async end(action: EndAction, wanted: WorkloadRef): Promise<EndOutcome> {
    this.sessions.remember(wanted, { action, stage: "asked", message: "" });
    try {
      const { snapshot, ...answer } = await this.server.end(action, wanted);
      if (snapshot) this.sessions.update(wanted.service, snapshot);
      const outcome = { ...this.outcome(action, wanted, answer), ok: true };
      this.sessions.remember(wanted, { action, stage: "answered", message: outcome.message });
      return outcome;
    } catch (error) {
      const message = error instanceof RequestFailed ? error.message : String(error);
      this.sessions.remember(wanted, { action, stage: "failed", message });
      return { ok: false, message, result: null };
    } finally {
      this.feed.poke();
    }
  }

  async closeAll(all: WorkloadRef[]): Promise<CloseResult[]> {
    for (const wanted of all) {
      this.sessions.remember(wanted, { action: "close", stage: "asked", message: "" });
    }
    try {
      const { results } = await this.server.closeAll(all);
      for (const { service, id, ok, ...answer } of results) {
        const stage = ok ? "answered" : "failed";
        const { message } = ok ? this.outcome("close", { service, id }, answer) : answer;
        this.sessions.remember({ service, id }, { action: "close", stage, message });
      }
      return results;
    } catch (error) {
      const message = error instanceof RequestFailed ? error.message : String(error);
      for (const wanted of all) {
        this.sessions.remember(wanted, { action: "close", stage: "failed", message });
      }
      return all.map((wanted) => ({ ...wanted, ok: false, message }));
    } finally {
      this.feed.poke();
    }
  }

  /** The result that an answer stands for, and its sentence; the server's own where it names no code. */
  private outcome(action: EndAction, wanted: WorkloadRef, answer: EndAnswer) {
    const result = endResult(action, answer);
    const workload = this.sessions.find(wanted);
    const word = workload ? noun(workload.snapshot) : "session";
    return { result, message: result ? ended(result, word) : answer.message };
  }

  /** Why a workload cannot be attached to the current notebook, or null when it can. */
  attachRefused(workload: Workload): string | null {
    const { snapshot, opened_by: by } = workload;
    const { place } = this;
    const what = noun(snapshot);
    if (snapshot.state === "closed") return t`the ${what} is closed`;
    if (!snapshot.accepting_jobs) return t`the ${what} is closing and takes no more jobs`;
    if (attachLine(which(workload)) === null) return t`its id makes no sense`;
    if (!place) return t`no notebook is open to attach it to`;
    if (by?.bound && by.kernel_id === place.kernelId && by.kernel !== "gone") {
      return t`this notebook uses it already`;
    }
    return null;
  }

  /** Attach to the current notebook by a cell that everybody can see, below the active one. */
  async attach(workload: Workload): Promise<void> {
    const panel = this.notebook;
    const line = attachLine(which(workload));
    if (!panel || line === null || this.attachRefused(workload) !== null) return;
    this.app.shell.activateById(panel.id);
    const loaded = await magicsLoaded(panel);
    this.insert(panel, loaded ? line : `${LOAD}\n${line}`);
    await NotebookActions.run(panel.content, panel.sessionContext);
  }

  /** A cell that opens a session, to be looked at and run by the reader. */
  async insertOpenCell(): Promise<void> {
    const panel = this.notebook;
    if (!panel) return;
    this.app.shell.activateById(panel.id);
    if (!(await magicsLoaded(panel))) {
      this.insert(panel, LOAD);
      await NotebookActions.run(panel.content, panel.sessionContext);
    }
    this.insert(
      panel,
      "%%session\n# primitives built without a mode belong to the session from here on",
    );
  }

  async devices(service: string): Promise<Device[]> {
    return (await this.server.devices(service)).devices;
  }

  async calibrated(service: string, device: string): Promise<number | null> {
    return (await this.server.calibrated(service, device)).calibrated;
  }

  /** Write a cell that opens a session below the active one, and run nothing; the notebook's path. */
  async writeOpenCell(service: string, options: OpenCell): Promise<string> {
    const panel = this.notebook;
    if (!panel)
      throw new RequestFailed(
        "refused",
        t`No notebook is open to write the cell into: open one first.`,
      );
    const { source } = await this.server.cell(service, options);
    const loaded = await magicsLoaded(panel);
    this.app.shell.activateById(panel.id);
    if (!loaded && !mentions(panel, LOAD)) this.insert(panel, LOAD);
    this.insert(panel, source);
    return panel.context.path;
  }

  /** The sessions of the last two weeks that have ended, the latest first. */
  async history(): Promise<HistoryRow[]> {
    return (await this.server.history()).sessions;
  }

  async deleteHistory(): Promise<void> {
    try {
      await this.server.deleteHistory();
    } finally {
      this.feed.poke();
    }
  }

  async openNotebook(path: string): Promise<void> {
    await this.app.commands.execute("docmanager:open", { path });
  }

  /** The tutorials' folder, with the first one open. */
  async openTutorials(): Promise<void> {
    const { notebook } = await this.server.tutorials();
    await this.openNotebook(notebook);
  }

  private insert(panel: NotebookPanel, source: string): void {
    const { content } = panel;
    // what else is selected would be run with it
    content.deselectAll();
    const active = content.activeCell?.model;
    // an empty active cell is as good as a new one, if it can be run
    if (active?.type !== "code" || active.sharedModel.getSource().trim()) {
      NotebookActions.insertBelow(content);
      // a setting of the lab says of which type a new one is
      if (content.activeCell?.model.type !== "code") {
        NotebookActions.changeCellType(content, "code");
      }
    }
    content.activeCell?.model.sharedModel.setSource(source);
  }
}

/** Whether a cell of the notebook has a text. */
function mentions(panel: NotebookPanel, text: string): boolean {
  return panel.content.widgets.some((cell) => cell.model.sharedModel.getSource().includes(text));
}

export function contextOf(panel: NotebookPanel): NotebookContext {
  const kernelId = panel.sessionContext.session?.kernel?.id ?? "";
  return { path: panel.context.path, kernelId };
}

interface ExpressionReply {
  user_expressions?: Record<string, { data?: Record<string, string> }>;
}

/** Ask the kernel by a silent request; a kernel that is busy or missing counts as one without them. */
async function magicsLoaded(panel: NotebookPanel): Promise<boolean> {
  const kernel = panel.sessionContext.session?.kernel;
  if (!kernel || kernel.status !== "idle") return false;
  const asked = kernel.requestExecute(
    { code: "", silent: true, store_history: false, user_expressions: { loaded: LOADED } },
    true,
  );
  const late = new Promise<null>((resolve) => setTimeout(resolve, ASK_KERNEL_MS, null));
  try {
    const reply = await Promise.race([asked.done, late]);
    const content = reply?.content as ExpressionReply | undefined;
    return content?.user_expressions?.["loaded"]?.data?.["text/plain"] === TRUE;
  } catch {
    return false;
  }
}

export function sameWorkload(a: Workload | undefined, b: Workload | undefined): boolean {
  return !!a && !!b && keyOf(which(a)) === keyOf(which(b));
}

// What the buttons and commands do. Nothing is closed here but what its caller was asked for by name.
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { NotebookActions } from "@jupyterlab/notebook";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import { noun } from "#shared/consequences";
import { keyOf, which, type Deed, type Which, type Workload } from "./contract";
import type { Feed } from "./feed";
import type { Place } from "./place";
import { RequestFailed } from "./failures";
import type { Closed, Server } from "./server";
import type { Sessions } from "./sessions";

const LOADED = "bool(get_ipython().find_line_magic('session'))";
const LOAD = "%load_ext qsession_widgets";
const ASK_KERNEL_MS = 2000;

export class Actions {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly server: Server,
    private readonly sessions: Sessions,
    private readonly feed: Feed,
    private readonly tracker: INotebookTracker | null,
  ) {}

  /** The notebook the reader is in, or was in last. */
  get notebook(): NotebookPanel | null {
    return this.tracker?.currentWidget ?? null;
  }

  get place(): Place | null {
    return this.notebook ? placeOf(this.notebook) : null;
  }

  /** Close or cancel; gives back what to say, and whether it was done. */
  async end(deed: Deed, wanted: Which): Promise<{ ok: boolean; message: string }> {
    this.sessions.remember(wanted, { deed, stage: "asked", message: "" });
    try {
      const { message, snapshot } = await this.server.end(deed, wanted);
      this.sessions.remember(wanted, { deed, stage: "answered", message });
      if (snapshot) this.sessions.update(wanted.service, snapshot);
      return { ok: true, message };
    } catch (error) {
      const message = error instanceof RequestFailed ? error.message : String(error);
      this.sessions.remember(wanted, { deed, stage: "failed", message });
      return { ok: false, message };
    } finally {
      this.feed.poke();
    }
  }

  async closeAll(all: Which[]): Promise<Closed[]> {
    for (const wanted of all) {
      this.sessions.remember(wanted, { deed: "close", stage: "asked", message: "" });
    }
    try {
      const { results } = await this.server.closeAll(all);
      for (const { service, id, ok, message } of results) {
        const stage = ok ? "answered" : "failed";
        this.sessions.remember({ service, id }, { deed: "close", stage, message });
      }
      return results;
    } catch (error) {
      const message = error instanceof RequestFailed ? error.message : String(error);
      for (const wanted of all) {
        this.sessions.remember(wanted, { deed: "close", stage: "failed", message });
      }
      return all.map((wanted) => ({ ...wanted, ok: false, message }));
    } finally {
      this.feed.poke();
    }
  }

  /** Why a workload cannot be attached to the current notebook, or null when it can. */
  attachRefused(workload: Workload): string | null {
    const { snapshot, opened_by: by } = workload;
    const { place } = this;
    const what = noun(snapshot);
    if (snapshot.state === "closed") return `the ${what} is closed`;
    if (!snapshot.accepting_jobs) return `the ${what} is closing and takes no more jobs`;
    if (!place) return "no notebook is open to attach it to";
    if (by?.bound && by.kernel_id === place.kernelId && by.kernel !== "gone") {
      return "this notebook uses it already";
    }
    return null;
  }

  /** Attach to the current notebook by a cell that everybody can see, below the active one. */
  async attach(workload: Workload): Promise<void> {
    const panel = this.notebook;
    if (!panel || this.attachRefused(workload) !== null) return;
    this.app.shell.activateById(panel.id);
    const { service, id } = which(workload);
    // the kernel looks at every saved account, and at every emulator of this machine
    const kind = /^ibm(:|$)/.test(service) ? "ibm" : "local";
    const line = `%session attach ${id} --service ${kind}`;
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
    // an empty active cell is as good as a new one
    if (content.activeCell?.model.sharedModel.getSource().trim()) {
      NotebookActions.insertBelow(content);
    }
    content.activeCell?.model.sharedModel.setSource(source);
  }
}

export function placeOf(panel: NotebookPanel): Place {
  const kernelId = panel.sessionContext.session?.kernel?.id ?? "";
  return { path: panel.context.path, kernelId };
}

/** Ask the kernel, without a trace in the notebook; one that is busy or not there is taken as one that has not. */
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
    return JSON.stringify(reply?.content ?? "").includes("True");
  } catch {
    return false;
  }
}

export function sameWorkload(a: Workload | undefined, b: Workload | undefined): boolean {
  return !!a && !!b && keyOf(which(a)) === keyOf(which(b));
}

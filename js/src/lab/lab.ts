// What the plugins share: the sessions, what can be done with them, and where the reader is.
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Notification } from "@jupyterlab/apputils";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import { Actions } from "./actions";
import { IDS } from "./commands";
import { which, type Workload } from "./contract";
import { makeEnder, offerEnder } from "./ender";
import { Feed } from "./feed";
import { NOT_LOADED } from "./panel";
import { Server } from "./server";
import { Sessions } from "./sessions";
import { Settings } from "./settings";
import type { Context } from "./ui/context";

export interface Lab {
  sessions: Sessions;
  settings: Settings;
  actions: Actions;
  context: Context;
  openPopover(anchor: HTMLButtonElement, workload: Workload | null): void;
  idleKernel(id: string): { kernel: Kernel; release(): void } | null;
}

export function makeLab(
  app: JupyterFrontEnd,
  tracker: INotebookTracker | null,
  registry: ISettingRegistry | null,
): Lab {
  const server = new Server(app.serviceManager.serverSettings);
  const sessions = new Sessions();
  const feed = new Feed(server, (news) => sessions.accept(news));
  const actions = new Actions(app, server, sessions, feed, tracker);
  const settings = new Settings(registry);
  const places = watchPlace(tracker);
  const run = (command: string) => void app.commands.execute(command);
  const context: Context = {
    sessions,
    actions,
    closeAll: () => run(IDS.closeAll),
    showPanel: () => run(IDS.showPanel),
    backToWork: () => app.shell.currentWidget?.activate(),
    openNotebook: ({ opened_by: by }) => {
      if (by?.notebook) void actions.openNotebook(by.notebook);
    },
    attach: (workload) => void actions.attach(workload),
    end: (deed, wanted) => void actions.end(deed, wanted),
    onPlace: (callback) => {
      places.add(callback);
      return () => places.delete(callback);
    },
  };
  const openPopover = (anchor: HTMLButtonElement, workload: Workload | null) => {
    if (!workload) {
      run(IDS.showPanel);
      return;
    }
    import("./ui").then(
      ({ togglePopover }) => togglePopover(anchor, which(workload), context),
      () => Notification.emit(NOT_LOADED, "error", { autoClose: false }),
    );
  };
  const idleKernel = (id: string) => {
    const open: Kernel[] = [];
    tracker?.forEach(({ sessionContext }) => {
      const kernel = sessionContext.session?.kernel;
      if (kernel?.id === id) open.push(kernel);
    });
    if (open[0]) {
      return open[0].status === "idle" ? { kernel: open[0], release: () => undefined } : null;
    }
    if (sessions.overview?.kernels[id]?.state !== "idle") return null;
    const kernel = app.serviceManager.kernels.connectTo({ model: { id, name: "" } });
    return { kernel, release: () => kernel.dispose() };
  };
  offerEnder(
    sessions,
    makeEnder(sessions, server, (deed, wanted) => actions.end(deed, wanted)),
  );
  // the page comes first
  void app.restored.then(() => feed.start());
  return { sessions, settings, actions, context, openPopover, idleKernel };
}

/** Calls those in the set when the reader goes to another notebook, or its kernel or its path changes. */
function watchPlace(tracker: INotebookTracker | null): Set<() => void> {
  const callbacks = new Set<() => void>();
  const changed = () => callbacks.forEach((callback) => callback());
  const watch = (panel: NotebookPanel) => {
    panel.sessionContext.kernelChanged.connect(changed);
    panel.context.pathChanged.connect(changed);
  };
  tracker?.forEach(watch);
  tracker?.widgetAdded.connect((_, panel) => watch(panel));
  tracker?.currentChanged.connect(changed);
  return callbacks;
}

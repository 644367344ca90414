// The services that the plugins share: the sessions, the actions on them, and the current notebook.
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Notification } from "@jupyterlab/apputils";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import type { ITranslator } from "@jupyterlab/translation";
import { Actions } from "../state/actions";
import { IDS } from "./paletteCommands";
import { DOMAIN, offerCatalogue } from "#shared/translation";
import { which, type Workload } from "#shared/serverTypes";
import { makeEndSession, offerEndSession } from "../state/serverSessionControl";
import { makeFollowSession, offerFollowSession } from "../state/serverSessionFeed";
import { makeShowCell, offerShowCell } from "../state/notebookCells";
import { Feed } from "../state/overviewFeed";
import { notLoaded } from "./sidePanel";
import { Server } from "../state/serverApi";
import { Sessions } from "../state/overviewStore";
import { Settings } from "../state/settings";
import type { Context } from "../ui/context";

export interface Lab {
  sessions: Sessions;
  settings: Settings;
  actions: Actions;
  context: Context;
  openPopover(anchor: HTMLButtonElement, workload: Workload | null): void;
  idleKernel(id: string): { kernel: Kernel.IKernelConnection; release(): void } | null;
}

export function makeLab(
  app: JupyterFrontEnd,
  tracker: INotebookTracker | null,
  registry: ISettingRegistry | null,
  translator: ITranslator | null,
): Lab {
  // before there are any words; English needs no catalogue
  if (translator && translator.languageCode !== "en") offerCatalogue(translator.load(DOMAIN));
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
    end: (action, wanted) => void actions.end(action, wanted),
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
    import("../ui/index").then(
      ({ togglePopover }) => togglePopover(anchor, which(workload), context),
      () => Notification.emit(notLoaded(), "error", { autoClose: false }),
    );
  };
  const idleKernel = (id: string) => {
    const open: Kernel.IKernelConnection[] = [];
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
  offerEndSession(
    sessions,
    makeEndSession(sessions, server, (action, wanted) => actions.end(action, wanted)),
  );
  offerFollowSession(makeFollowSession(sessions));
  if (tracker) offerShowCell(makeShowCell(tracker));
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

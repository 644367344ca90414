// The plugins, and nothing but their wiring: each does one thing and can be switched off by its id.
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette, ISessionContextDialogs, Notification } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker } from "@jupyterlab/notebook";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStatusBar } from "@jupyterlab/statusbar";
import { ITranslator } from "@jupyterlab/translation";
import { Token } from "@lumino/coreutils";
import { addCommands, category, IDS, tellEnd } from "./plugins/paletteCommands";
import { askBeforeEnd } from "./guard/dialogs";
import { ShutdownGuard } from "./guard/kernelShutdown";
import { watchActivity } from "./notifications/userActivity";
import { makeLab, type Lab } from "./plugins/main";
import { Notifier } from "./notifications/notifier";
import { PanelWidget } from "./plugins/sidePanel";
import { showReceipts } from "./plugins/receipts";
import { PLUGIN } from "./state/settings";
import { StatusItem } from "./plugins/statusItem";

const ILab = new Token<Lab>("qsession-widgets:ILab");
const RANK = 650;

const main: JupyterFrontEndPlugin<Lab> = {
  id: PLUGIN,
  description: "Asks the Jupyter server what the sessions of this account and this machine do.",
  autoStart: true,
  optional: [INotebookTracker, ISettingRegistry, ITranslator],
  provides: ILab,
  activate: makeLab,
};

const commands: JupyterFrontEndPlugin<void> = {
  id: "qsession-widgets:commands",
  description: "Adds the commands for sessions, for the palette, the menus and shortcuts.",
  autoStart: true,
  requires: [ILab],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, lab: Lab, palette: ICommandPalette | null) =>
    addCommands(app, lab.actions, lab.sessions, palette),
};

const panel: JupyterFrontEndPlugin<void> = {
  id: "qsession-widgets:panel",
  description: "Adds the side panel with all open sessions, whatever their kernels do.",
  autoStart: true,
  requires: [ILab],
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, lab: Lab, restorer: ILayoutRestorer | null) => {
    const widget = new PanelWidget(lab.context);
    restorer?.add(widget, widget.id);
    app.shell.add(widget, "left", { rank: RANK, type: category() });
  },
};

const status: JupyterFrontEndPlugin<void> = {
  id: "qsession-widgets:status",
  description: "Shows the current notebook's session in the status bar, with its countdowns.",
  autoStart: true,
  requires: [ILab],
  optional: [IStatusBar],
  activate: (app: JupyterFrontEnd, lab: Lab, bar: IStatusBar | null) => {
    const item = new StatusItem({
      sessions: lab.sessions,
      place: () => lab.actions.place,
      wanted: () => lab.settings.on("statusBar"),
      open: (anchor, workload) => lab.openPopover(anchor, workload),
    });
    lab.context.onPlace(() => item.refresh());
    lab.settings.subscribe(() => item.refresh());
    item.id = "qsession-status";
    if (bar) {
      bar.registerStatusItem("qsession-widgets:status", {
        item,
        align: "left",
        rank: 20,
        isActive: () => item.isActive,
        activeStateChanged: item.activeStateChanged,
      });
    } else {
      // Notebook 7 has no status bar: there it stands beside the kernel's name
      app.shell.add(item, "menu", { rank: 9_000 });
    }
  },
};

const notifications: JupyterFrontEndPlugin<void> = {
  id: "qsession-widgets:notifications",
  description:
    "Tells what happens to sessions: activated, idle, deactivated, closed, a job failed.",
  autoStart: true,
  requires: [ILab],
  activate: (app: JupyterFrontEnd, { sessions, settings, actions, context }: Lab) => {
    const working = watchActivity(() => actions.notebook?.node);
    const notifier = new Notifier(
      sessions,
      settings,
      () => actions.place,
      working,
      (does, wanted) => {
        const workload = sessions.find(wanted);
        if (does === "show" || !workload) void app.commands.execute(IDS.showPanel);
        else if (does === "notebook") context.openNotebook(workload);
        else void tellEnd(actions, "close", workload);
      },
    );
    notifier.start();
  },
};

const guard: JupyterFrontEndPlugin<void> = {
  id: "qsession-widgets:guard",
  description: "Asks before a kernel ends or a tab is closed that would leave a session open.",
  autoStart: true,
  requires: [ILab],
  optional: [INotebookTracker, ISessionContextDialogs],
  activate: (
    app: JupyterFrontEnd,
    { sessions, settings, actions, idleKernel }: Lab,
    tracker: INotebookTracker | null,
    dialogs: ISessionContextDialogs | null,
  ) => {
    const watch = new ShutdownGuard(sessions, settings, {
      ask: (occasion, workloads) => askBeforeEnd(occasion, workloads, sessions),
      close: ({ service, snapshot }) => actions.end("close", { service, id: snapshot.session_id }),
      failed: (message) => Notification.emit(message, "error", { autoClose: false }),
      idleKernel,
    });
    watch.watchManager(app.serviceManager);
    if (dialogs) watch.watchDialogs(dialogs);
    tracker?.forEach((each) => watch.watchNotebook(each));
    tracker?.widgetAdded.connect((_, each) => watch.watchNotebook(each));
  },
};

const launcher: JupyterFrontEndPlugin<void> = {
  id: "qsession-widgets:launcher",
  description: "Adds the tutorials to the launcher.",
  autoStart: true,
  requires: [ILab],
  optional: [ILauncher],
  activate: (_: JupyterFrontEnd, __: Lab, cards: ILauncher | null) => {
    cards?.add({ command: IDS.tutorials, category: category(), args: { launcher: true } });
  },
};

const receipts: JupyterFrontEndPlugin<void> = {
  id: "qsession-widgets:receipts",
  description: "Shows the receipt in a saved notebook whose panel no kernel knows of any more.",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_: JupyterFrontEnd, registry: IRenderMimeRegistry) => showReceipts(registry),
};

export default [main, commands, panel, status, notifications, guard, launcher, receipts];

// The commands, with the ids that the palette, the menus and users' shortcuts refer to.
import { t } from "#shared/translation";
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Notification, type ICommandPalette } from "@jupyterlab/apputils";
import type { CommandRegistry } from "@lumino/commands";
import { plural } from "#shared/formatting";
import type { Actions } from "../state/actions";
import {
  isOpen,
  which,
  type EndAction,
  type WorkloadRef,
  type Workload,
} from "#shared/serverTypes";
import { askCancel, askCloseAll } from "../guard/dialogs";
import { sessionsIcon } from "../ui/icon";
import { PANEL_ID } from "./sidePanel";
import { boundHere } from "../state/currentNotebook";
import { RequestFailed } from "#shared/messages/outcomes";
import type { Sessions } from "../state/overviewStore";
import { inOrder, isOrphan, nameOf } from "#shared/messages/labels";

export const category = () => t`Quantum sessions`;
export const IDS = {
  openCell: "qsession:open-cell",
  showPanel: "qsession:show-panel",
  close: "qsession:close",
  cancel: "qsession:cancel",
  attach: "qsession:attach",
  closeAll: "qsession:close-all",
  tutorials: "qsession:tutorials",
} as const;

const TARGET = {
  type: "object",
  properties: {
    service: { type: "string", description: "Key of the service, as the overview names it" },
    id: { type: "string", description: "Id of the session or batch" },
  },
};
const NOTHING = { type: "object", properties: {} };

export function addCommands(
  app: JupyterFrontEnd,
  actions: Actions,
  sessions: Sessions,
  palette: ICommandPalette | null,
): void {
  const named = (args: Record<string, unknown>): Workload | undefined =>
    typeof args["id"] === "string" && typeof args["service"] === "string"
      ? sessions.find({ service: args["service"], id: args["id"] })
      : undefined;
  const current = () => boundHere(sessions.workloads, actions.place) ?? undefined;
  const target = (args: Record<string, unknown>) => named(args) ?? current();
  /** The workload to attach when none is named: one that this notebook has left open, else the only orphan. */
  const attachable = (args: Record<string, unknown>) => {
    const wanted = named(args);
    if (wanted) return wanted;
    const free = (workload: Workload) => actions.attachRefused(workload) === null;
    const here = current();
    if (here && isOrphan(here) && free(here)) return here;
    const orphans = inOrder(sessions.open.filter((each) => isOrphan(each) && free(each)));
    return orphans.length === 1 ? orphans[0] : undefined;
  };
  const end = (action: EndAction): CommandRegistry.ICommandOptions => ({
    label: action === "close" ? t`Close Quantum Session` : t`Cancel Quantum Session`,
    caption:
      action === "close"
        ? t`The current notebook's session takes no more jobs; those that are queued finish`
        : t`The current notebook's session takes no more jobs; those that are queued are cancelled`,
    describedBy: { args: TARGET },
    isEnabled: (args) => {
      const workload = target(args);
      return (
        !!workload && isOpen(workload) && (action === "cancel" || workload.snapshot.accepting_jobs)
      );
    },
    execute: async (args) => {
      const workload = target(args);
      if (!workload) return;
      if (action === "cancel" && !(await askCancel(workload, sessions))) return;
      await tellEnd(actions, action, workload);
    },
  });
  const commands: Record<string, CommandRegistry.ICommandOptions> = {
    [IDS.openCell]: {
      label: t`Insert a Cell That Opens a Quantum Session`,
      caption: t`Inserts %%session below the active cell, to be looked at and run`,
      describedBy: { args: NOTHING },
      isEnabled: () => actions.notebook !== null,
      execute: () => actions.insertOpenCell(),
    },
    [IDS.showPanel]: {
      label: t`Show Quantum Sessions`,
      caption: t`The side panel with all open sessions`,
      describedBy: { args: NOTHING },
      execute: () => app.shell.activateById(PANEL_ID),
    },
    [IDS.close]: end("close"),
    [IDS.cancel]: end("cancel"),
    [IDS.attach]: {
      label: t`Attach to the Open Quantum Session`,
      caption: t`Inserts and runs %session attach in the current notebook`,
      describedBy: { args: TARGET },
      isEnabled: (args) => attachable(args) !== undefined,
      execute: async (args) => {
        const workload = attachable(args);
        if (workload) await actions.attach(workload);
      },
    },
    [IDS.closeAll]: {
      label: t`Close All Quantum Sessions…`,
      caption: t`Asks which of the open ones, then closes those`,
      describedBy: { args: NOTHING },
      isEnabled: () => sessions.open.length > 0,
      execute: async () => tellClosed(actions, await askCloseAll(sessions)),
    },
    [IDS.tutorials]: {
      label: (args) =>
        args["launcher"] ? t`Session Tutorials` : t`Open the Quantum Session Tutorials`,
      caption: t`Notebooks that show how sessions work; they run on this machine, without charge`,
      describedBy: { args: { type: "object", properties: { launcher: { type: "boolean" } } } },
      icon: sessionsIcon,
      execute: async () => {
        try {
          await actions.openTutorials();
        } catch (error) {
          const message = error instanceof RequestFailed ? error.message : String(error);
          Notification.emit(message, "error", { autoClose: false });
        }
      },
    },
  };
  for (const [id, options] of Object.entries(commands)) {
    app.commands.addCommand(id, options);
    palette?.addItem({ command: id, category: category() });
  }
  sessions.subscribe(() => {
    for (const id of [IDS.close, IDS.cancel, IDS.attach, IDS.closeAll]) {
      app.commands.notifyCommandChanged(id);
    }
  });
}

/** End one from a menu or a notification, where no button shows what came of it. */
export async function tellEnd(
  actions: Actions,
  action: EndAction,
  workload: Workload,
): Promise<void> {
  const { ok, message } = await actions.end(action, which(workload));
  const said = ok
    ? `${nameOf(workload)}: ${message}`
    : t`${nameOf(workload)} was not ${action === "close" ? t`closed` : t`cancelled`}: ${message}`;
  Notification.emit(said, ok ? "success" : "error", { autoClose: ok ? 5000 : false });
}

export async function tellClosed(actions: Actions, chosen: WorkloadRef[]): Promise<void> {
  if (chosen.length === 0) return;
  const results = await actions.closeAll(chosen);
  const failed = results.filter(({ ok }) => !ok);
  const done = results.length - failed.length;
  if (done) {
    Notification.emit(t`${plural(done, "session")} asked to close.`, "success", {
      autoClose: 5000,
    });
  }
  for (const { id, message } of failed) {
    Notification.emit(t`${id} was not closed: ${message}`, "error", { autoClose: false });
  }
}

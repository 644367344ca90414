// The questions that are asked before something ends. Each names what it is about, in numbers.
import { Dialog, showDialog } from "@jupyterlab/apputils";
import { Widget } from "@lumino/widgets";
import { consequences, noun } from "#shared/consequences";
import { plural } from "#shared/format";
import { isOpen, which, type Which, type Workload } from "./contract";
import type { Choice, Occasion } from "./guard";
import type { Sessions } from "./sessions";
import { addStyle } from "./style";
import css from "./dialogs.css";
import { everyTick } from "./ticks";
import {
  cancelSentence,
  closeSentence,
  inOrder,
  kernelWords,
  leftSentence,
  nameOf,
  ownerLabel,
  stateWord,
  usageWords,
} from "./words";

/** What is asked, what keeps things as they are, and how the other two buttons say what happens. */
const OCCASIONS: Record<Occasion, { title: string; keep: string; does: string; also: string }> = {
  restart: {
    title: "Restart the kernel?",
    keep: "Keep kernel",
    does: "Restart",
    also: "restart",
  },
  shutdown: {
    title: "Shut down the kernel?",
    keep: "Keep kernel",
    does: "Shut down",
    also: "shut down",
  },
  change: { title: "Change the kernel?", keep: "Keep kernel", does: "Change", also: "change" },
  tab: { title: "Close the tab?", keep: "Keep tab", does: "Close tab", also: "tab" },
};

function element(tag: string, className: string, text = ""): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function describe({ snapshot }: Workload, now: number): string {
  const usage =
    snapshot.started_at === null ? "no usage yet" : `usage ${usageWords(snapshot, now)}`;
  return `${stateWord(snapshot, now)} · ${usage}`;
}

/** Before a kernel or a tab with open sessions goes: close them, leave them, or keep things as they are. */
export async function askBeforeEnd(
  occasion: Occasion,
  workloads: Workload[],
  sessions: Sessions,
): Promise<Choice> {
  addStyle("dialogs", css);
  const { title, keep, does, also } = OCCASIONS[occasion];
  const one = workloads.length === 1;
  const what = one ? noun(workloads[0]!.snapshot) : "sessions";
  const body = element("div", "qs-ask-body");
  const list = element("ul", "qs-ask-list");
  const lines = workloads.map((workload) => {
    const row = element("li", "");
    const notes = [0, 1, 2].map(() => element("div", "qs-ask-note"));
    row.append(element("strong", "", nameOf(workload)), ...notes);
    list.append(row);
    return () => {
      const now = sessions.now(workload.service);
      const { snapshot } = workload;
      const said = [describe(workload, now), closeSentence(snapshot), leftSentence(snapshot, now)];
      notes.forEach((note, at) => (note.textContent = said[at]!));
    };
  });
  const draw = () => lines.forEach((line) => line());
  draw();
  const them = one ? "it" : "them";
  const left = element(
    "p",
    "qs-ask-note",
    occasion === "tab"
      ? `You can close ${them} from the side panel. The kernel goes on running.`
      : `You can attach to ${them} or close ${them} from the side panel.`,
  );
  body.append(list, left);
  const stay = Dialog.cancelButton({ label: keep });
  // plain beside the other: it is the one that may go on costing
  const leave = Dialog.cancelButton({ label: `${does}, leave ${what} open` });
  const close = Dialog.okButton({
    label: `Close ${one ? what : `${workloads.length} ${what}`} and ${also}`,
  });
  const stop = everyTick(draw);
  const { button } = await showDialog({
    title: one
      ? `${title} Its ${what} is still open.`
      : `${title} Its ${workloads.length} ${what} are still open.`,
    body: new Widget({ node: body }),
    buttons: [stay, leave, close],
    defaultButton: 0,
  });
  stop();
  if (button.label === close.label) return "close";
  return button.label === leave.label ? "leave" : "stay";
}

/** Which of all open ones to close: those that were opened by others are left alone unless they are ticked. */
export async function askCloseAll(sessions: Sessions): Promise<Which[]> {
  addStyle("dialogs", css);
  const open = inOrder(sessions.workloads).filter(
    (workload) => isOpen(workload) && workload.snapshot.accepting_jobs,
  );
  if (open.length === 0) {
    await showDialog({
      title: "Nothing to close",
      body: "No session or batch is open.",
      buttons: [Dialog.okButton()],
    });
    return [];
  }
  const body = element("div", "qs-ask-body");
  const list = element("ul", "qs-ask-list qs-ask-choose");
  const boxes = new Map<HTMLInputElement, Workload>();
  const sum = element("p", "qs-ask-note");
  sum.setAttribute("role", "status");
  const chosen = () => [...boxes].filter(([box]) => box.checked).map(([, workload]) => workload);
  const count = () => {
    const picked = chosen();
    const pending = picked.reduce(
      (total, { snapshot }) =>
        total +
        snapshot.jobs.filter(
          (job) => !job.stray && (job.status === "queued" || job.status === "running"),
        ).length,
      0,
    );
    sum.textContent =
      `${picked.length} of ${open.length} will be closed; ` +
      (pending ? `${plural(pending, "pending job")} may finish first.` : "no job is pending.");
  };
  for (const workload of open) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = workload.opened_by !== null && workload.opened_by.kernel !== "elsewhere";
    box.onchange = count;
    boxes.set(box, workload);
    const label = document.createElement("label");
    const words = element("span", "");
    words.append(element("strong", "", nameOf(workload)));
    const where = [ownerLabel(workload), kernelWords(workload)].filter(Boolean).join(", ");
    words.append(element("div", "qs-ask-note", where));
    words.append(element("div", "qs-ask-note", describe(workload, sessions.now(workload.service))));
    label.append(box, words);
    const row = document.createElement("li");
    row.append(label);
    list.append(row);
  }
  count();
  body.append(list, sum);
  const close = Dialog.warnButton({ label: "Close selected" });
  const { button } = await showDialog({
    title:
      open.length === 1 ? "Close the open session?" : `Close all ${open.length} open sessions?`,
    body: new Widget({ node: body }),
    buttons: [Dialog.cancelButton({ label: "Keep all open" }), close],
    defaultButton: 0,
  });
  return button.label === close.label ? chosen().map(which) : [];
}

/** Cancelling loses queued jobs: asked where there are some. */
export async function askCancel(workload: Workload): Promise<boolean> {
  const { snapshot } = workload;
  if (consequences(snapshot).cost === 0) return true;
  const what = noun(snapshot);
  const cancel = Dialog.warnButton({ label: `Cancel ${what}` });
  const { button } = await showDialog({
    title: `Cancel the ${what} on ${nameOf(workload)}?`,
    body: cancelSentence(snapshot),
    buttons: [Dialog.cancelButton({ label: `Keep ${what}` }), cancel],
    defaultButton: 0,
  });
  return button.label === cancel.label;
}

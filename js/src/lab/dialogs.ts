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
import {
  closeSentence,
  inOrder,
  kernelWords,
  nameOf,
  ownerLabel,
  stateWord,
  usageWords,
} from "./words";

const TITLES: Record<Occasion, string> = {
  restart: "Restart the kernel? It has opened",
  shutdown: "Shut down the kernel? It has opened",
  change: "Change the kernel? This one has opened",
  tab: "Close the tab? Its kernel has opened",
};

function element(tag: string, className: string, text = ""): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function describe(workload: Workload, now: number): string[] {
  const { snapshot } = workload;
  const usage =
    snapshot.started_at === null ? "no usage yet" : `usage ${usageWords(snapshot, now)}`;
  return [`${stateWord(snapshot, now)} · ${usage}`, closeSentence(snapshot)];
}

/** Before a kernel or a tab with open sessions goes: close them, leave them, or stay. */
export async function askBeforeEnd(
  occasion: Occasion,
  workloads: Workload[],
  sessions: Sessions,
): Promise<Choice> {
  addStyle("dialogs", css);
  const one = workloads.length === 1;
  const what = one ? noun(workloads[0]!.snapshot) : "sessions";
  const body = element("div", "qs-ask-body");
  const list = element("ul", "qs-ask-list");
  for (const workload of workloads) {
    const row = element("li", "");
    row.append(element("strong", "", nameOf(workload)));
    for (const line of describe(workload, sessions.now(workload.service))) {
      row.append(element("div", "qs-ask-note", line));
    }
    list.append(row);
  }
  const left = element(
    "p",
    "qs-ask-note",
    occasion === "tab"
      ? `Left open, ${one ? `the ${what} stays` : "they stay"} with the kernel, which goes on running; the side panel shows ${one ? "it" : "them"}.`
      : `Left open, ${one ? `the ${what} goes` : "they go"} on without a kernel until a timeout; the side panel shows ${one ? "it" : "them"}, to attach or to close.`,
  );
  body.append(list, left);
  const stay = Dialog.cancelButton({ label: "Stay" });
  const leave = Dialog.okButton({ label: "Leave open" });
  const close = Dialog.warnButton({
    label: one ? `Close ${what}` : `Close ${workloads.length} ${what}`,
  });
  const { button } = await showDialog({
    title: `${TITLES[occasion]} ${one ? `a ${what} that is still open` : `${workloads.length} ${what} that are still open`}`,
    body: new Widget({ node: body }),
    buttons: [stay, leave, close],
    defaultButton: 0,
  });
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
    words.append(
      element("div", "qs-ask-note", describe(workload, sessions.now(workload.service))[0]),
    );
    label.append(box, words);
    const row = document.createElement("li");
    row.append(label);
    list.append(row);
  }
  count();
  body.append(list, sum);
  const close = Dialog.warnButton({ label: "Close those ticked" });
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
  const facts = consequences(snapshot);
  if (facts.cost === 0) return true;
  const cancel = Dialog.warnButton({ label: `Cancel ${plural(facts.cost, "queued job")}` });
  const { button } = await showDialog({
    title: `Cancel the ${noun(snapshot)} on ${nameOf(workload)}?`,
    body: `It ${facts.cancel}.`,
    buttons: [Dialog.cancelButton({ label: "Keep" }), cancel],
    defaultButton: 0,
  });
  return button.label === cancel.label;
}

// The dialogs that ask before something ends. Each states its consequences in numbers.
import { t } from "#shared/translation";
import { Dialog } from "@jupyterlab/apputils";
import { Widget } from "@lumino/widgets";
import { cancelSentence, consequences, noun } from "#shared/consequences";
import { plural } from "#shared/formatting";
import { SETTLE_MS, Settled } from "#shared/settled";
import { isOpen, which, type WorkloadRef, type Workload } from "#shared/serverTypes";
import type { Choice, Occasion } from "./kernelShutdown";
import { holders } from "../state/currentNotebook";
import type { Sessions } from "../state/overviewStore";
import { addStyle } from "../ui/style";
import css from "./dialogs.css";
import { everyTick } from "#shared/pageClock";
import {
  closeSentence,
  inOrder,
  kernelWords,
  leftSentence,
  nameOf,
  ownerLabel,
  sharedSentence,
  stateWord,
  usageWords,
} from "#shared/messages/labels";

/** The title, and the labels of the buttons, for each occasion. */
const OCCASIONS: Record<
  Occasion,
  () => { title: string; keep: string; does: string; also: string }
> = {
  restart: () => ({
    title: t`Restart the kernel?`,
    keep: t`Keep kernel`,
    does: t`Restart`,
    also: t`restart`,
  }),
  shutdown: () => ({
    title: t`Shut down the kernel?`,
    keep: t`Keep kernel`,
    does: t`Shut down`,
    also: t`shut down`,
  }),
  change: () => ({
    title: t`Change the kernel?`,
    keep: t`Keep kernel`,
    does: t`Change`,
    also: t`change`,
  }),
  tab: () => ({ title: t`Close the tab?`, keep: t`Keep tab`, does: t`Close tab`, also: t`tab` }),
};

function element(tag: string, className: string, text = ""): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function describe({ snapshot }: Workload, now: number): string {
  const usage =
    snapshot.started_at === null ? t`no usage yet` : t`usage ${usageWords(snapshot, now)}`;
  return `${stateWord(snapshot, now)} · ${usage}`;
}

/** JupyterLab's dialog, which takes no click or key that was meant for what was there before it, or for what it said. */
async function ask(
  options: Partial<Dialog.IOptions<unknown>>,
  settled = appearing(),
): Promise<Dialog.IButton> {
  const dialog = new Dialog(options);
  const hold = (event: MouseEvent) => {
    if (!settled.takes(event)) event.stopImmediatePropagation();
  };
  // before the dialog's own
  dialog.node.addEventListener("click", hold, true);
  // which answers as the key goes down, and makes no click of it; again and again while it is held
  dialog.node.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter") return;
      if (!event.repeat && settled.takes({ timeStamp: event.timeStamp, detail: 0 })) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
  const buttons = [...dialog.node.querySelectorAll("button")];
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  const ready = () => buttons.forEach((button) => button.removeAttribute("aria-disabled"));
  setTimeout(ready, SETTLE_MS + 10);
  return (await dialog.launch()).button;
}

function appearing(): Settled {
  const settled = new Settled();
  settled.see("", null, performance.now());
  return settled;
}

/** As it is now, or as it was last known. */
function latest(workload: Workload, sessions: Sessions): Workload {
  return sessions.find(which(workload)) ?? workload;
}

/** Before a kernel or a tab with open sessions goes: close them, leave them, or keep things as they are. */
export async function askBeforeEnd(
  occasion: Occasion,
  workloads: Workload[],
  sessions: Sessions,
): Promise<Choice> {
  addStyle("dialogs", css);
  const { title, keep, does, also } = OCCASIONS[occasion]();
  const one = workloads.length === 1;
  const what = one ? noun(workloads[0]!.snapshot) : t`sessions`;
  const body = element("div", "qs-ask-body");
  const list = element("ul", "qs-ask-list");
  const lines = workloads.map((asked) => {
    const row = element("li", "");
    const notes = [0, 1, 2].map(() => element("div", "qs-ask-note"));
    row.append(element("strong", "", nameOf(asked)), ...notes);
    list.append(row);
    return () => {
      const workload = latest(asked, sessions);
      const now = sessions.now(workload.service);
      const { snapshot } = workload;
      const shared = sharedSentence(snapshot, holders(workload));
      const said = [
        describe(workload, now),
        `${closeSentence(snapshot)} ${shared}`.trimEnd(),
        leftSentence(snapshot, now),
      ];
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
      ? t`You can close ${them} from the side panel. The kernel goes on running.`
      : t`You can attach to ${them} or close ${them} from the side panel.`,
  );
  body.append(list, left);
  const stay = Dialog.cancelButton({ label: keep });
  // plain beside the other: it is the one that may go on costing
  const leave = Dialog.cancelButton({ label: t`${does}, leave ${what} open` });
  const close = Dialog.okButton({
    label: t`Close ${one ? what : `${workloads.length} ${what}`} and ${also}`,
  });
  const stop = everyTick(draw);
  const button = await ask({
    title: one
      ? t`${title} Its ${what} is still open.`
      : t`${title} Its ${workloads.length} ${what} are still open.`,
    body: new Widget({ node: body }),
    buttons: [stay, leave, close],
    defaultButton: 0,
  });
  stop();
  if (button.label === close.label) return "close";
  return button.label === leave.label ? "leave" : "stay";
}

/** Asks which open sessions to close: those that were opened by others are left alone unless they are ticked. */
export async function askCloseAll(sessions: Sessions): Promise<WorkloadRef[]> {
  addStyle("dialogs", css);
  const open = inOrder(sessions.workloads).filter(
    (workload) => isOpen(workload) && workload.snapshot.accepting_jobs,
  );
  if (open.length === 0) {
    await ask({
      title: t`Nothing to close`,
      body: t`No session or batch is open.`,
      buttons: [Dialog.okButton()],
    });
    return [];
  }
  const body = element("div", "qs-ask-body");
  const list = element("ul", "qs-ask-list qs-ask-choose");
  const boxes = new Map<HTMLInputElement, Workload>();
  const notes: (() => void)[] = [];
  const sum = element("p", "qs-ask-note");
  sum.setAttribute("role", "status");
  const chosen = () =>
    [...boxes]
      .filter(([box]) => box.checked)
      .map(([, workload]) => latest(workload, sessions))
      .filter(isOpen);
  const count = () => {
    notes.forEach((write) => write());
    const picked = chosen();
    const pending = picked.reduce(
      (total, { snapshot }) =>
        total +
        snapshot.jobs.filter(
          (job) => !job.stray && (job.status === "queued" || job.status === "running"),
        ).length,
      0,
    );
    const said =
      t`${picked.length} of ${open.length} will be closed; ` +
      (pending ? t`${plural(pending, "pending job")} may finish first.` : t`no job is pending.`);
    // the same words again would be read out again
    if (sum.textContent !== said) sum.textContent = said;
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
    const note = element("div", "qs-ask-note");
    notes.push(() => {
      const text = describe(latest(workload, sessions), sessions.now(workload.service));
      if (note.textContent !== text) note.textContent = text;
    });
    words.append(note);
    label.append(box, words);
    const row = document.createElement("li");
    row.append(label);
    list.append(row);
  }
  count();
  body.append(list, sum);
  const close = Dialog.okButton({ label: t`Close selected` });
  const stop = everyTick(count);
  const button = await ask({
    title:
      open.length === 1 ? t`Close the open session?` : t`Close all ${open.length} open sessions?`,
    body: new Widget({ node: body }),
    buttons: [Dialog.cancelButton({ label: t`Keep all open` }), close],
    defaultButton: 0,
  });
  stop();
  return button.label === close.label ? chosen().map(which) : [];
}

/** Asked whatever is queued: that may be different by the time of the answer. */
export async function askCancel(workload: Workload, sessions: Sessions): Promise<boolean> {
  addStyle("dialogs", css);
  const what = noun(workload.snapshot);
  const body = element("p", "qs-ask-body");
  const settled = new Settled();
  const told = new Set<boolean>();
  const draw = () => {
    const { snapshot } = latest(workload, sessions);
    body.textContent = cancelSentence(snapshot);
    // as in shared/question.tsx: that jobs are lost is something to be read first
    told.add(consequences(snapshot).cost > 0);
    settled.see(String(told.size), null, performance.now());
  };
  draw();
  const stop = everyTick(draw);
  const cancel = Dialog.warnButton({ label: t`Cancel ${what}` });
  const options = {
    title: t`Cancel the ${what} on ${nameOf(workload)}?`,
    body: new Widget({ node: body }),
    buttons: [Dialog.cancelButton({ label: t`Keep ${what}` }), cancel],
    defaultButton: 0,
  };
  const button = await ask(options, settled);
  stop();
  return button.label === cancel.label && isOpen(latest(workload, sessions));
}

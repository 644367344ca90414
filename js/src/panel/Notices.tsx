// What the reader has to know besides numbers: a command's progress, a service or kernel that does not answer.
import { noun } from "#shared/consequences";
import { formatClock, shortId } from "#shared/format";
import type { Command, SessionStore } from "./store";

export function Notices({ store, now }: { store: SessionStore; now: number }) {
  const trouble = troubleOf(store, now);
  const { command } = store;
  const waiting = command?.stage === "waiting" || command?.stage === "failed";
  return (
    <>
      <div role="status" class="qs-live">
        {command && (
          <div class={`qs-notice qs-notice-${waiting ? "warning" : "plain"}`}>
            <span>{describe(store, command)}</span>
            {(command.stage === "done" || command.stage === "failed") && (
              <button
                type="button"
                class="qs-dismiss"
                aria-label="Dismiss this message"
                onClick={(event) => {
                  // what is clicked goes: the focus goes on with what it was about
                  const panel = event.currentTarget.closest(".qs-panel");
                  panel?.querySelector<HTMLElement>(".qs-button")?.focus();
                  store.dismissCommand();
                }}
              >
                ×
              </button>
            )}
          </div>
        )}
      </div>
      <div role="status" class="qs-live">
        {trouble && <div class="qs-notice qs-notice-warning">{trouble}</div>}
      </div>
    </>
  );
}

export const WAITS_FOR_CELL =
  "The kernel has not taken the request: it is busy with a cell and takes messages only in between. " +
  "It acts when the cell ends; to act now, interrupt the cell (Kernel ▸ Interrupt Kernel, or press I twice).";

function describe(store: SessionStore, command: Command): string {
  const verb = command.action === "close" ? "Close" : "Cancel";
  const over = command.stage === "done" || command.stage === "failed";
  if (store.link === "lost" && !over) {
    return `${verb} requested; the kernel went before it answered, so what came of it is not known here.`;
  }
  if (store.link === "broken" && !over) {
    return (
      `${verb} requested; the connection to the kernel broke before it answered. It is asked again when the connection ` +
      `is back; to act now, use qsession ${command.action} ${store.snapshot.session_id} in a terminal.`
    );
  }
  switch (command.stage) {
    case "requested":
      return `${verb} requested …`;
    case "waiting":
      return `${verb} requested. ${WAITS_FOR_CELL}`;
    case "acknowledged":
      return `${verb} acknowledged by the kernel; asking the service …`;
    case "done":
      return `${verb} done. ${command.message}`;
    case "failed":
      return `${verb} failed. ${command.message || `The ${noun(store.snapshot)} is as it was.`}`;
  }
}

function troubleOf(store: SessionStore, now: number): string | null {
  const { snapshot, link } = store;
  const at = formatClock(snapshot.answered_at, now);
  const settled = snapshot.state === "closed";
  if (settled && snapshot.poll_interval === 0) return null;
  if (link === "lost") {
    const id = shortId(snapshot.session_id);
    if (snapshot.mode === "job") return `The kernel is gone. Numbers as of ${at}; jobs go on.`;
    return settled
      ? `The kernel is gone. Numbers as of ${at}.`
      : `The kernel is gone. Numbers as of ${at}; countdowns go on as estimates. The ${noun(snapshot)} ${id} may ` +
          `still be open and billing: reattach with %session attach ${snapshot.session_id}.`;
  }
  if (link === "broken") {
    return (
      `This page has lost its connection to the kernel. Numbers as of ${at}; countdowns go on as estimates. ` +
      `To act now, use qsession in a terminal.`
    );
  }
  if (link === "silent") {
    return `The kernel does not answer: it is busy with a cell, or gone. Numbers as of ${at}; countdowns go on as estimates.`;
  }
  if (snapshot.problem !== null) {
    const since = formatClock(snapshot.problem_since ?? snapshot.answered_at, now);
    return `The service stopped answering at ${since}: ${snapshot.problem} Countdowns go on as estimates.`;
  }
  return null;
}

// What the reader has to know besides numbers: a command's progress, a service or kernel that does not answer.
import { noun } from "#shared/consequences";
import { formatClock, shortId } from "#shared/format";
import { isDone, isOver, type Command, type Why } from "./commands";
import type { SessionStore } from "./store";

export function Notices({ store, now }: { store: SessionStore; now: number }) {
  const trouble = troubleOf(store, now);
  const command = store.commands.session;
  const waiting = command && !isDone(command) && (isOver(command) || command.stage === "waiting");
  return (
    <>
      <div role="status" class="qs-live">
        {command && (
          <div class={`qs-notice qs-notice-${waiting ? "warning" : "plain"}`}>
            <span>{describe(store, command)}</span>
            {isOver(command) && (
              <button
                type="button"
                class="qs-dismiss"
                aria-label="Dismiss this message"
                onClick={(event) => {
                  // what is clicked goes: the focus goes on with what it was about
                  const panel = event.currentTarget.closest(".qs-panel");
                  panel?.querySelector<HTMLElement>(".qs-button")?.focus();
                  store.commands.dismiss();
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

const BUSY =
  "The kernel has not taken the request: it is busy with a cell and takes messages only in between. It acts when the cell ends";
const INTERRUPT = "interrupt the cell (Kernel ▸ Interrupt Kernel, or press I twice)";

export const WAITS_FOR_CELL = `${BUSY}; to act now, ${INTERRUPT}.`;

const WHY: Record<Why, string> = {
  lost: "The kernel is gone",
  broken: "This page does not reach the kernel",
  busy: "The kernel did not answer",
};

function describe(store: SessionStore, command: Command): string {
  const { stage, message, server } = command;
  const what = noun(store.snapshot);
  const [verb, ended] = command.action === "close" ? ["Close", "closed"] : ["Cancel", "cancelled"];
  const terminal = `run qsession ${command.action} ${store.sessionId} in a terminal`;
  if (stage === "done") return message || `${verb} done.`;
  if (server?.stage === "done") {
    const why = `${WHY[server.why]}, so the Jupyter server`;
    if (CONFIRMS.test(server.message)) return `${why} ${ended} the ${what}.`;
    return `${why} was asked. ${server.message}`;
  }
  if (server?.stage === "asked") {
    return `${verb} requested. ${WHY[server.why]}, so the Jupyter server is asked …`;
  }
  if (stage === "failed") {
    if (!server) return `${verb} failed. ${message || `The ${what} is as it was.`}`;
    return `${verb} failed. ${WHY[server.why]}, and the Jupyter server could not do it: ${server.message} To act now, ${terminal}.`;
  }
  const refused = server ? ` The Jupyter server could not do it: ${server.message}` : "";
  if (store.link === "lost") {
    return (
      `${verb} requested; the kernel went before it answered, so what came of it is not known here.${refused} ` +
      `To be sure, ${terminal}.`
    );
  }
  if (store.link === "broken") {
    return (
      `${verb} requested; the connection to the kernel broke before it answered.${refused} It is asked again when the ` +
      `connection is back; to act now, ${terminal}.`
    );
  }
  switch (stage) {
    case "requested":
      return `${verb} requested …`;
    case "waiting":
      return `${verb} requested. ${BUSY}.${refused} To act now, ${INTERRUPT}, or ${terminal}.`;
    case "acknowledged":
      return `${verb} acknowledged by the kernel; asking the service …`;
  }
}

/** An answer that only confirms what was asked. */
const CONFIRMS = /^(\w+ (is )?(closed|cancelled)\.?)?$/i;

function troubleOf(store: SessionStore, now: number): string | null {
  const { snapshot, link } = store;
  const at = formatClock(snapshot.answered_at, now);
  const settled = snapshot.state === "closed";
  if (settled && snapshot.poll_interval === 0) return null;
  const asOf = `Numbers as of ${at}; countdowns go on as estimates.`;
  const terminal = `run qsession close ${snapshot.session_id} in a terminal`;
  if (link === "lost") {
    if (snapshot.mode === "job") return `The kernel is gone. Numbers as of ${at}; jobs go on.`;
    if (settled) return `The kernel is gone. Numbers as of ${at}.`;
    if (!snapshot.accepting_jobs) return `The kernel is gone. ${asOf}`;
    const what = `${noun(snapshot)} ${shortId(snapshot.session_id)}`;
    const billing = snapshot.service.charged ? " and billing" : "";
    const end = store.commands.hasServer
      ? `click Close ${noun(snapshot)} (the Jupyter server does it)`
      : terminal;
    return (
      `The kernel is gone. ${asOf} The ${what} may still be open${billing}. To end it now, ${end}; ` +
      `to go on with it, run %session attach ${snapshot.session_id}.`
    );
  }
  if (link === "broken") {
    const lost = `This page has lost its connection to the kernel. ${asOf}`;
    if (snapshot.mode === "job" || !snapshot.accepting_jobs) return lost;
    if (store.commands.hasServer) return `${lost} Close and Cancel go through the Jupyter server.`;
    return `${lost} To close the ${noun(snapshot)} now, ${terminal}.`;
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

// The consequences of closing and cancelling, in numbers, shown before a click.
import { pendingJobs } from "./metrics";
import { plural } from "./formatting";
import type { SessionSnapshot } from "./snapshot.gen";

export interface Consequences {
  close: string;
  cancel: string;
  /** Queued jobs that cancelling would lose. */
  cost: number;
  running: number;
}

export function noun({ mode, state_reason }: SessionSnapshot): "session" | "batch" | "job mode" {
  if (state_reason === "deferred") return "session";
  if (state_reason === "deferred_batch") return "batch";
  return mode === "dedicated" ? "session" : mode === "batch" ? "batch" : "job mode";
}

export function consequences(snapshot: SessionSnapshot): Consequences {
  const pending = pendingJobs(snapshot);
  const running = pending.filter((job) => job.status === "running").length;
  const queued = pending.length - running;
  const runs = `${plural(running, "running job")} ${running === 1 ? "finishes" : "finish"}`;
  let close = "no job is pending: it ends now, and accepts no more jobs";
  if (running && queued) {
    close = `lets ${running} running and ${plural(queued, "queued job")} finish`;
  } else if (running || queued) {
    close = `lets ${plural(running + queued, running ? "running job" : "queued job")} finish`;
  }
  let cancel = "no job is pending: the same as closing";
  if (queued) cancel = `cancels ${plural(queued, "queued job")}${running ? `; ${runs}` : ""}`;
  else if (running) cancel = `nothing is queued; ${runs}`;
  return { close, cancel, cost: queued, running };
}

/** A sentence about the effect of cancelling, or that it is too late. */
export function cancelSentence(snapshot: SessionSnapshot): string {
  const what = noun(snapshot);
  if (snapshot.state === "closed") {
    const ended = snapshot.state_reason === "session_cancelled" ? "was cancelled" : "has ended";
    return `The ${what} ${ended} meanwhile: there is nothing left to cancel.`;
  }
  const { cost, running } = consequences(snapshot);
  const lost = cost
    ? `${plural(cost, "queued job")} ${cost === 1 ? "is" : "are"} lost`
    : "no job is queued";
  if (running === 0) return `Ends the ${what}; ${lost}.`;
  return `Ends the ${what}; ${lost}, ${plural(running, "running job")} ${running === 1 ? "finishes" : "finish"}.`;
}

// The consequences of closing and cancelling, in numbers, shown before a click.
import { sentences, t } from "./translation";
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

/** What can be asked of one, as it stands in sentences. */
export const ACTIONS = sentences({ close: "close", cancel: "cancel", cancel_job: "cancel" });

export function noun({ mode, state_reason }: SessionSnapshot): string {
  if (state_reason === "deferred") return t`session`;
  if (state_reason === "deferred_batch") return t`batch`;
  return mode === "dedicated" ? t`session` : mode === "batch" ? t`batch` : t`job mode`;
}

export function consequences(snapshot: SessionSnapshot): Consequences {
  const pending = pendingJobs(snapshot);
  const running = pending.filter((job) => job.status === "running").length;
  const queued = pending.length - running;
  const runs = plural(running, "running job finishes", "running jobs finish");
  let close = t`no job is pending: it ends now, and accepts no more jobs`;
  if (running && queued) {
    close = t`lets ${running} running and ${plural(queued, "queued job")} finish`;
  } else if (running || queued) {
    close = t`lets ${plural(running + queued, running ? "running job" : "queued job")} finish`;
  }
  let cancel = t`no job is pending: the same as closing`;
  if (queued) cancel = t`cancels ${plural(queued, "queued job")}${running ? `; ${runs}` : ""}`;
  else if (running) cancel = t`nothing is queued; ${runs}`;
  return { close, cancel, cost: queued, running };
}

/** A sentence about the effect of cancelling, or that it is too late. */
export function cancelSentence(snapshot: SessionSnapshot): string {
  const what = noun(snapshot);
  if (snapshot.state === "closed") {
    const ended = snapshot.state_reason === "session_cancelled" ? t`was cancelled` : t`has ended`;
    return t`The ${what} ${ended} meanwhile: there is nothing left to cancel.`;
  }
  const { cost, running } = consequences(snapshot);
  const lost = cost
    ? t`${plural(cost, "queued job")} ${cost === 1 ? t`is` : t`are`} lost`
    : t`no job is queued`;
  if (running === 0) return t`Ends the ${what}; ${lost}.`;
  return t`Ends the ${what}; ${lost}, ${plural(running, "running job finishes", "running jobs finish")}.`;
}

// What closing and cancelling will do, in numbers, before anyone clicks.
import { pendingJobs } from "./countdowns";
import { plural } from "./format";
import type { SessionSnapshot } from "./snapshot.gen";

export interface Consequences {
  close: string;
  cancel: string;
  /** Queued jobs that cancelling would lose. */
  cost: number;
  running: number;
}

export function noun({ mode }: SessionSnapshot): "session" | "batch" | "job mode" {
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

// Sentences about the outcome of a request. tests/vectors/outcomes.json holds the sentence for each code that this and
// qsession_widgets/messages/outcomes.py are tested with.
import { sentences, t } from "../translation";
import { dollarsOf, formatDuration, formatMoney, plural } from "../formatting";
import { usage } from "../metrics";
import type { EndResult } from "../serverTypes";
import type { SessionSnapshot } from "../snapshot.gen";

/** One sentence about the end of a session or of a job; `id` where the reader may not know which session is meant. */
export function ended(result: EndResult, noun = "session", id = ""): string {
  const { code, action, cancelled, finishing, job_id } = result;
  const word = noun.charAt(0).toUpperCase() + noun.slice(1);
  const lost = cancelled ? t`: ${plural(cancelled, "queued job")} cancelled` : "";
  const left = finishing
    ? t`; ${finishing === 1 ? t`1 job finishes` : t`${finishing} jobs finish`} first`
    : "";
  switch (code) {
    case "closed":
      return t`${word} closed.`;
    case "closing":
      return t`${word} closing: no more jobs are accepted${left}.`;
    case "cancelled":
      return t`${word} cancelled${lost}${left}.`;
    case "already_closed":
      return t`${id ? t`The ${noun} ${id}` : t`It`} is closed already.`;
    case "job_cancelled":
      return t`Job ${job_id} is cancelled.`;
    case "accepted":
      return action === "close"
        ? t`${word} closing: the service accepted that, but has not said yet which jobs finish first.`
        : t`${word} cancelled: the service accepted that, but has not said yet which jobs are cancelled.`;
  }
}

/** `missing`: the server extension is not there. `down`: no answer, or not one of ours. `refused`: it said why. */
export type Failure = "missing" | "down" | "refused";

export class RequestFailed extends Error {
  constructor(
    readonly kind: Failure,
    message: string,
  ) {
    super(message);
  }
}

/** What keeps a request to the Jupyter server from its answer. */
export const NO_ANSWER = sentences({
  missing:
    "The Jupyter server extension is not enabled: run jupyter server extension enable qsession_widgets.server where the Jupyter server runs, then start it again.",
  silent: "The Jupyter server does not answer: it is tried again until it does.",
  late: "The Jupyter server takes too long to answer: it is tried again.",
  // of a request that is not retried automatically
  unanswered: "The Jupyter server does not answer: try again in a moment.",
  unknown:
    "The Jupyter server takes too long to answer: see whether it was done before you try again.",
  // JupyterHub answers for a server that it has stopped
  stopped:
    "JupyterHub has stopped this Jupyter server: start it again on JupyterHub's home page, then load this page anew.",
});

/** A clause for each reason why a session takes no more jobs. */
const REASONS = sentences({
  budget: "budget of {limit} spent ({then})",
  budget_ahead: "another job would have exceeded its budget of {limit} ({then} spent)",
  budget_overrun: "budget of {limit} spent; {jobs} running took it to {spent}",
  budget_ahead_overrun:
    "another job would have exceeded its budget of {limit} ({then} spent); {jobs} running took it to {spent}",
  budget_closing: "its budget of {limit} allows no more jobs ({spent} so far)",
  idle_close: "nothing was pending for {idle} (--idle-close)",
  max_jobs: "as many jobs as it may have were sent (--max-jobs {most})",
  panel: "by its panel",
  notebook: "from its notebook",
  notebook_script: "from its script",
  notebook_process: "from its own process",
  once: "its cell was over (--once)",
  on_error: "its cell failed (--on-error)",
  exit: "its kernel ended",
  exit_script: "its script ended",
  exit_process: "its process ended",
  crash: "its process had died (--on-crash)",
  terminal: "from a terminal",
  lab: "from JupyterLab",
  elsewhere: "{elsewhere}",
  max_time: "the maximum time of {maximum} was reached",
  never_used: "no job ran for 30 minutes",
  request: "on request",
});

/** Why a session takes no more jobs, as a clause without a subject; empty while it takes jobs. */
export function endReason(snapshot: SessionSnapshot, now: number): string {
  const { state, end_reason: reason, end_running: running, budget_dollars: dollars } = snapshot;
  const closed = state === "closed";
  if (snapshot.accepting_jobs && !closed) return "";
  if (!reason) {
    return (snapshot.state_reason ?? "ended").replace("session_", "").replaceAll("_", " ");
  }
  const { total, cost } = usage(snapshot, now);
  // the figure by which it was ended, not what the usage has come to
  const kept = snapshot.end_usage ?? null;
  const then = kept ?? total;
  const thenCost = dollarsOf(then, snapshot.service.price_per_second, kept === null) ?? 0;
  const inDollars = dollars !== null && cost !== null;
  const words: Record<string, string> = {
    limit: inDollars ? formatMoney(dollars) : formatDuration(snapshot.budget_seconds ?? 0),
    spent: inDollars ? `≈ ${formatMoney(cost)}` : formatDuration(total),
    then: inDollars ? `≈ ${formatMoney(thenCost)}` : formatDuration(then),
    jobs: running === 1 ? t`the job that was` : t`the ${running} jobs that were`,
    idle: formatDuration(snapshot.idle_close ?? 0),
    most: String(snapshot.max_jobs),
    maximum: formatDuration(snapshot.max_ttl ?? 0),
    elsewhere: elsewhere(snapshot.ended_by),
  };
  const overrun = running > 0 && (kept === null || total > kept);
  const budget = reason === "budget" || reason === "budget_ahead";
  const ended = budget && overrun ? (`${reason}_overrun` as const) : reason;
  let code: keyof typeof REASONS = budget && !closed ? "budget_closing" : ended;
  if ((code === "notebook" || code === "exit") && snapshot.ended_by) {
    code = `${code}_${snapshot.ended_by.endsWith(".py") ? "script" : "process"}`;
  }
  return REASONS[code].replace(/\{(\w+)\}/g, (_, name) => words[name]!);
}

function elsewhere(program: string): string {
  const name = program.split("/").pop();
  if (!name) return t`by another notebook or process`;
  return name.endsWith(".ipynb") ? t`from ${name}` : t`by another process (${name})`;
}

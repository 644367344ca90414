// Sentences about a kernel or a service that does not answer.
import { t } from "../translation";
import { noun } from "../consequences";
import { formatClock, shortId } from "../formatting";
import type { SessionSnapshot } from "../snapshot.gen";

/**
 * What is wrong with the connection to the kernel or to the service; null while both answer. `fed` says that the Jupyter
 * server tells how the session is.
 */
export function connectionProblem(
  snapshot: SessionSnapshot,
  link: string,
  hasServer: boolean,
  fed: boolean,
  now: number,
): string | null {
  const { mode, session_id: id, accepting_jobs: open } = snapshot;
  const at = formatClock(snapshot.answered_at, now);
  const closed = snapshot.state === "closed";
  if (closed && (fed || snapshot.poll_interval === 0)) return null;
  const problem = snapshot.problem && serviceProblem(snapshot, now);
  const asOf = !fed
    ? t`Numbers as of ${at}; countdowns go on as estimates.`
    : (problem ?? t`The Jupyter server tells how it is.`);
  const terminal = t`run qsession close ${id} in a terminal`;
  const word = noun(snapshot);
  if (link === "lost") {
    const gone = t`The kernel is gone.`;
    if (mode === "job") return t`${gone} Numbers as of ${at}; jobs go on.`;
    if (closed) return t`${gone} Numbers as of ${at}.`;
    if (!open) return `${gone} ${asOf}`;
    const bills = snapshot.service.charged && (!fed || snapshot.state === "active");
    const still = t`${fed ? t`is` : t`may still be`} open${bills ? t` and billing` : ""}`;
    const end = hasServer ? t`click Close ${word} (the Jupyter server does it)` : terminal;
    return t`${gone} ${asOf} The ${word} ${shortId(id)} ${still}. To end it now, ${end}; to go on with it, run %session attach ${id}.`;
  }
  if (link === "broken") {
    const lost = t`This page has lost its connection to the kernel. ${asOf}`;
    if (mode === "job" || !open) return lost;
    if (hasServer) return t`${lost} Close and Cancel go through the Jupyter server.`;
    return t`${lost} To close the ${word} now, ${terminal}.`;
  }
  if (link === "silent") {
    return t`The kernel does not answer: it is busy with a cell, or gone. ${asOf}`;
  }
  return problem;
}

function serviceProblem({ problem, problem_since, answered_at }: SessionSnapshot, now: number) {
  const since = formatClock(problem_since ?? answered_at, now);
  return t`The service stopped answering at ${since}: ${problem} Countdowns go on as estimates.`;
}

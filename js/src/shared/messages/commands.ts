// Sentences about the progress of a command that was given in the panel.
import { sentences, t } from "../translation";
import type { EndResult } from "../serverTypes";
import { ended } from "./outcomes";

/** Why the Jupyter server was asked in place of the kernel. */
export type ServerReason = "lost" | "broken" | "busy";

/** The progress of a command with the kernel, and with the Jupyter server; null while that was not asked. */
export interface CommandProgress {
  action: EndResult["action"];
  stage: "requested" | "waiting" | "acknowledged" | "done" | "failed";
  /** The kernel's own sentence, such as why it failed. */
  message: string;
  result: EndResult | null;
  server: {
    stage: "asked" | "done" | "failed";
    why: ServerReason;
    message: string;
    result: EndResult | null;
  } | null;
}

const busy = () =>
  t`The kernel has not taken the request: it is busy with a cell and takes messages only in between. It acts when the cell ends`;
const interrupt = () => t`interrupt the cell (Kernel ▸ Interrupt Kernel, or press I twice)`;

export const waitsForCell = () => t`${busy()}; to act now, ${interrupt()}.`;

const WHY: Record<ServerReason, string> = sentences({
  lost: "The kernel is gone",
  broken: "This page does not reach the kernel",
  busy: "The kernel did not answer",
});

/** Whether a result is no more than what was asked for: nothing else is left to say. */
function isPlain({ code, cancelled, finishing }: EndResult): boolean {
  return code === "closed" || (code === "cancelled" && cancelled + finishing === 0);
}

export function commandProgress(
  { action, stage, message, result, server }: CommandProgress,
  noun: string,
  sessionId: string,
  link: string,
): string {
  const [verb, participle] = action === "close" ? [t`Close`, t`closed`] : [t`Cancel`, t`cancelled`];
  const terminal = t`run qsession ${action} ${sessionId} in a terminal`;
  if (stage === "done") return result ? ended(result, noun) : message || t`${verb} done.`;
  const why = server && WHY[server.why];
  if (server?.stage === "done") {
    if (server.result && isPlain(server.result)) {
      return t`${why}, so the Jupyter server ${participle} the ${noun}.`;
    }
    const outcome = server.result ? ended(server.result, noun) : server.message;
    return t`${why}, so the Jupyter server was asked. ${outcome}`;
  }
  if (server?.stage === "asked") {
    return t`${verb} requested. ${why}, so the Jupyter server is asked …`;
  }
  if (stage === "failed") {
    if (!server) return t`${verb} failed. ${message || t`The ${noun} is as it was.`}`;
    return t`${verb} failed. ${why}, and the Jupyter server could not do it: ${server.message} To act now, ${terminal}.`;
  }
  const refused = server ? t` The Jupyter server could not do it: ${server.message}` : "";
  if (link === "lost") {
    return t`${verb} requested; the kernel ended before it answered, so what came of it is not known here.${refused} To be sure, ${terminal}.`;
  }
  if (link === "broken") {
    return t`${verb} requested; the connection to the kernel broke before it answered.${refused} It is asked again when the connection is back; to act now, ${terminal}.`;
  }
  switch (stage) {
    case "requested":
      return t`${verb} requested …`;
    case "waiting":
      return t`${verb} requested. ${busy()}.${refused} To act now, ${interrupt()}, or ${terminal}.`;
    case "acknowledged":
      return t`${verb} acknowledged by the kernel; asking the service …`;
  }
}

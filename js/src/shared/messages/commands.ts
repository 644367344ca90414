// Sentences about the progress of a command that was given in the panel.
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

const BUSY =
  "The kernel has not taken the request: it is busy with a cell and takes messages only in between. It acts when the cell ends";
const INTERRUPT = "interrupt the cell (Kernel ▸ Interrupt Kernel, or press I twice)";

export const WAITS_FOR_CELL = `${BUSY}; to act now, ${INTERRUPT}.`;

const WHY: Record<ServerReason, string> = {
  lost: "The kernel is gone",
  broken: "This page does not reach the kernel",
  busy: "The kernel did not answer",
};

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
  const [verb, participle] = action === "close" ? ["Close", "closed"] : ["Cancel", "cancelled"];
  const terminal = `run qsession ${action} ${sessionId} in a terminal`;
  if (stage === "done") return result ? ended(result, noun) : message || `${verb} done.`;
  const why = server && WHY[server.why];
  if (server?.stage === "done") {
    if (server.result && isPlain(server.result)) {
      return `${why}, so the Jupyter server ${participle} the ${noun}.`;
    }
    const outcome = server.result ? ended(server.result, noun) : server.message;
    return `${why}, so the Jupyter server was asked. ${outcome}`;
  }
  if (server?.stage === "asked") {
    return `${verb} requested. ${why}, so the Jupyter server is asked …`;
  }
  if (stage === "failed") {
    if (!server) return `${verb} failed. ${message || `The ${noun} is as it was.`}`;
    return `${verb} failed. ${why}, and the Jupyter server could not do it: ${server.message} To act now, ${terminal}.`;
  }
  const refused = server ? ` The Jupyter server could not do it: ${server.message}` : "";
  if (link === "lost") {
    return (
      `${verb} requested; the kernel ended before it answered, so what came of it is not known here.${refused} ` +
      `To be sure, ${terminal}.`
    );
  }
  if (link === "broken") {
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

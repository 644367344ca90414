// Functions that the lab extension offers on the page to the panels in it. A panel comes from its kernel's environment and is
// no part of the extension, so their names have versions.
import type { EndAction, EndResult } from "./serverTypes";

/**
 * Ends a session through the Jupyter server. Resolves with the outcome, or is rejected with an error whose message is a
 * sentence.
 */
export type EndSession = (
  action: EndAction,
  sessionId: string,
) => Promise<Partial<EndResult> & { message: string }>;

export const END_SESSION = Symbol.for("qsession-widgets.end-session.2");

/** The name of a `FollowSession`. */
export const FOLLOW_SESSION = Symbol.for("qsession-widgets.follow-session.1");

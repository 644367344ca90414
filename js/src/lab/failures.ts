// What can be wrong with a request to the Jupyter server, in sentences.

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

export const MISSING =
  "The Jupyter server extension is not enabled: run jupyter server extension enable qsession_widgets.server " +
  "where the Jupyter server runs, then start it again.";
export const SILENT = "The Jupyter server does not answer: it is tried again until it does.";
export const LATE = "The Jupyter server takes too long to answer: it is tried again.";
/** What is asked for is not asked for again by itself. */
export const UNANSWERED = "The Jupyter server does not answer: try again in a moment.";
export const UNKNOWN =
  "The Jupyter server takes too long to answer: see whether it was done before you try again.";
/** JupyterHub answers for a server that it has stopped. */
export const STOPPED =
  "JupyterHub has stopped this Jupyter server: start it again on JupyterHub's home page, then load this page anew.";

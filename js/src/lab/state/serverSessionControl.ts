// Ends a session for the panel of a notebook whose kernel is gone or does not answer. The panel comes from the kernel's
// environment and is no part of this extension, so the extension offers this function on the page under a versioned name.
import { t } from "#shared/translation";
import { shortId } from "#shared/formatting";
import { which, type EndAction, type WorkloadRef, type Workload } from "#shared/serverTypes";
import { END_SESSION, type EndSession } from "#shared/offers";
import { NO_ANSWER, RequestFailed } from "#shared/messages/outcomes";
import type { EndOutcome } from "./actions";
import type { Server } from "./serverApi";
import type { Sessions } from "./overviewStore";

/** A service may have to be asked first, which takes a moment. */
const SEEK_MS = 10_000;
const HOLD_S = 5;

export function makeEndSession(
  sessions: Sessions,
  server: Pick<Server, "overview">,
  end: (action: EndAction, wanted: WorkloadRef) => Promise<EndOutcome>,
): EndSession {
  const seek = async (id: string): Promise<Workload | undefined> => {
    const until = Date.now() + SEEK_MS;
    let since: number | null = null;
    do {
      const overview = await server.overview(since, since === null ? 0 : HOLD_S);
      sessions.accept({ overview, failure: null, at: Date.now() });
      if (sessions.failure) throw new Error(sessions.failure.message);
      since = overview.revision;
    } while (!sessions.named(id) && Date.now() < until);
    return sessions.named(id);
  };
  return async (action, id) => {
    let workload = sessions.named(id);
    try {
      workload ??= await seek(id);
    } catch (error) {
      // the sentence says that it is tried again, and this is not
      const down = error instanceof RequestFailed && error.kind === "down";
      throw down ? new Error(NO_ANSWER.unanswered) : error;
    }
    if (!workload) {
      throw new Error(
        t`No service that the Jupyter server asks knows of a session ${shortId(id)}.`,
      );
    }
    const { ok, message, result } = await end(action, which(workload));
    if (!ok) throw new Error(message);
    return { ...result, message };
  };
}

/** Offer it on the page while the server is not known to lack the server extension. */
export function offerEndSession(sessions: Sessions, endSession: EndSession): void {
  const page = globalThis as { [END_SESSION]?: EndSession };
  const offer = () => {
    if (sessions.failure?.kind === "missing") delete page[END_SESSION];
    else page[END_SESSION] = endSession;
  };
  offer();
  sessions.subscribe(offer);
}

// Ends a session for the panel in a notebook whose kernel is gone or does not listen. The panel comes with the kernel and
// is no part of this extension, so the two meet on the page: what is put there is a contract, and its name has a number.
import { shortId } from "#shared/format";
import { isOpen, which, type Deed, type Which, type Workload } from "./contract";
import { RequestFailed, UNANSWERED } from "./failures";
import type { Server } from "./server";
import type { Sessions } from "./sessions";

/** Says what came of it, or is rejected with an error whose message is a sentence. */
export type Ender = (deed: Deed, sessionId: string) => Promise<string>;

export const ENDER = Symbol.for("qsession-widgets.ender.1");

/** A service may have to be asked first, which takes a moment. */
const SEEK_MS = 10_000;
const HOLD_S = 5;

export function makeEnder(
  sessions: Sessions,
  server: Pick<Server, "overview">,
  end: (deed: Deed, wanted: Which) => Promise<{ ok: boolean; message: string }>,
): Ender {
  const find = (id: string): Workload | undefined => {
    const named = sessions.workloads.filter(({ snapshot }) => snapshot.session_id === id);
    return named.find(isOpen) ?? named[0];
  };
  const seek = async (id: string): Promise<Workload | undefined> => {
    const until = Date.now() + SEEK_MS;
    let since: number | null = null;
    do {
      const overview = await server.overview(since, since === null ? 0 : HOLD_S);
      sessions.accept({ overview, failure: null, at: Date.now() });
      if (sessions.failure) throw new Error(sessions.failure.message);
      since = overview.revision;
    } while (!find(id) && Date.now() < until);
    return find(id);
  };
  return async (deed, id) => {
    let workload = find(id);
    try {
      workload ??= await seek(id);
    } catch (error) {
      // the sentence says that it is tried again, and this is not
      const down = error instanceof RequestFailed && error.kind === "down";
      throw down ? new Error(UNANSWERED) : error;
    }
    if (!workload) {
      throw new Error(`No service that the Jupyter server asks knows of a session ${shortId(id)}.`);
    }
    const { ok, message } = await end(deed, which(workload));
    if (!ok) throw new Error(message);
    return message;
  };
}

/** Puts it on the page, unless and until the server turns out to lack our half. */
export function offerEnder(sessions: Sessions, ender: Ender): void {
  const page = globalThis as { [ENDER]?: Ender };
  const offer = () => {
    if (sessions.failure?.kind === "missing") delete page[ENDER];
    else page[ENDER] = ender;
  };
  offer();
  sessions.subscribe(offer);
}

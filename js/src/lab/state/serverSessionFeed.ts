// Tells the panel of a notebook whose kernel is gone or does not answer how its session is, as side panel and status bar
// have it. Offered on the page under a versioned name, as serverSessionControl.ts is.
import { FOLLOW_SESSION } from "#shared/offers";
import type { FollowSession } from "#shared/serverTypes";
import type { Sessions } from "./overviewStore";

export function makeFollowSession(sessions: Sessions): FollowSession {
  return (id, listener) => {
    const tell = () => {
      const workload = sessions.failure ? undefined : sessions.named(id);
      listener(
        workload && {
          snapshot: workload.snapshot,
          now: () => sessions.now(workload.service),
        },
      );
    };
    tell();
    return sessions.subscribe(tell);
  };
}

export function offerFollowSession(follow: FollowSession): void {
  (globalThis as { [FOLLOW_SESSION]?: FollowSession })[FOLLOW_SESSION] = follow;
}

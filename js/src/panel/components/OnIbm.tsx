// What the work so far would take and cost on IBM in a session, a batch and job mode, and how sure that is.
import { unbroken } from "#shared/formatting";
import { errorWords, waysWords } from "#shared/messages/forecast";
import type { SessionStore } from "../state/store";

export function OnIbm({ store }: { store: SessionStore }) {
  const { forecast, snapshot } = store;
  if (!forecast) return null;
  const estimate = snapshot.device_time
    ? "device time is IBM’s estimate of 2 s and 0.35 ms per execution: "
    : "";
  return (
    <p class="qs-rules" title="%session forecast has the assumptions">
      {unbroken(
        `The work so far on IBM: ${waysWords(forecast, snapshot.service)}; ${estimate}${errorWords(forecast)}`,
      )}
    </p>
  );
}

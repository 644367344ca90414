// What the work so far would take and cost on IBM in a session, a batch and job mode, and how sure that is.
import { t } from "#shared/translation";
import { unbroken } from "#shared/formatting";
import { costsWords, errorWords, waysWords } from "#shared/messages/forecast";
import type { SessionStore } from "../state/store";

/** One line, which is there before there is anything to say, so that nothing moves; the rest unfolds. */
export function OnIbm({ store }: { store: SessionStore }) {
  const { forecast, snapshot } = store;
  const { device_time: device, service, state } = snapshot;
  if (!forecast) {
    if (state === "closed") return null;
    return <p class="qs-rules qs-on-ibm">{t`Cost on IBM: estimated after one job`}</p>;
  }
  const estimate = device
    ? t`A job’s device time is IBM’s estimate of 2 s and 0.35 ms per execution; `
    : "";
  return (
    <details class="qs-rules qs-on-ibm" title={t`%session forecast has the assumptions`}>
      <summary>
        {store.fed ? t`As the kernel said last, on IBM, ` : t`On IBM, `}
        {unbroken(costsWords(forecast, service))}
      </summary>
      {unbroken(`${waysWords(forecast, service)}. ${estimate}${errorWords(forecast)}.`)}
    </details>
  );
}

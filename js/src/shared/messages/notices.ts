// Sentences about a session that its owner has to know: lost answers and waits. The same as
// qsession_widgets/messages/notices.py; tests/vectors/notices.json has the sentences that both are tested with.
import { ACTIONS } from "../consequences";
import { t } from "../translation";
import { formatDuration, formatMoney, plural } from "../formatting";
import type { SessionSnapshot } from "../snapshot.gen";

const aMinute = (perSecond: number) => t`${formatMoney(60 * perSecond)} a minute`;

const file = (path: string) => path.split("/").pop();

/** What is to be said of a session at this moment; empty when nothing is. */
export function notices(snapshot: SessionSnapshot, now: number): string {
  const { unknown, blocker, service, mode } = snapshot;
  const perSecond = service.price_per_second;
  const price = perSecond === null || mode !== "dedicated" ? "" : aMinute(perSecond);
  const said = [];
  if (unknown.length) {
    const jobs = unknown.filter((request) => request === "submit").length;
    const ends = (["close", "cancel"] as const).filter((action) => unknown.includes(action));
    const what = [
      ...(jobs ? [plural(jobs, "job")] : []),
      ...ends.map((action) => t`the ${ACTIONS[action]}`),
    ];
    const text = what.join(t` and `);
    said.push(
      t`${text[0]!.toUpperCase()}${text.slice(1)} may have been accepted: the answer was lost, and the service is asked until it says.` +
        (price && service.charged ? t` While active it costs ${price}.` : "") +
        (jobs ? t` Running the cell again looks first, and sends nothing twice.` : ""),
    );
  }
  if (blocker) {
    const { name, notebook, pending, ends_at: ends, price_per_second: billed } = blocker;
    const which = name.includes(" ") ? `'${name}'` : name || blocker.session_id;
    said.push(
      t`Waits for your session ${which}${notebook && t` of ${file(notebook)}`}, ` +
        (pending ? t`with ${plural(pending, "job")} to run` : t`idle`) +
        (billed === null ? "" : `, ${service.charged ? "" : t`on IBM `}${aMinute(billed)}`) +
        (ends === null ? "" : t`, lets others run in ${formatDuration(ends - now)}`) +
        t`: %session close ${which} ends it.`,
    );
  }
  return said.join(" ");
}

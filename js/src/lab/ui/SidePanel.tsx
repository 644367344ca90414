// The control room: what all sessions cost, then each one, this notebook's first, and how to end it.
import { t } from "#shared/translation";
import { useRef, useState } from "preact/hooks";
import { formatClock, shortId, zoneAt } from "#shared/formatting";
import { keyOf, which, type Service, type Workload } from "#shared/serverTypes";
import { agoWords, answeredAgo, serviceTitle } from "#shared/messages/labels";
import { figures } from "#shared/messages/totals";
import { headingOf, placed, type Placed } from "../state/groups";
import { useNews, type Context } from "./context";
import { NewSession } from "./NewSession";
import { Button } from "./Parts";
import { Ended } from "./Ended";
import { Row } from "./Rows";

/** Those that something is asked about, as they were last known, with their service. */
type Asked = Map<string, { workload: Workload; service: Service }>;

export function SidePanel({ context, visible }: { context: Context; visible: boolean }) {
  useNews(context, visible);
  const { sessions } = context;
  const { overview, failure } = sessions;
  const open = sessions.open;
  const [writing, setWriting] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const stopWriting = () => {
    setWriting(false);
    opener.current?.focus();
  };
  return (
    <div class="qs-lab-panel">
      <div class="qs-lab-top">
        <h2>{t`Quantum sessions`}</h2>
        <button
          ref={opener}
          type="button"
          class="qs-lab-button"
          aria-expanded={writing}
          title={t`Writes a cell that opens a session; nothing is opened here`}
          onClick={() => setWriting(!writing)}
        >{t`New…`}</button>
        <Button
          name={t`Close all…`}
          says={t`asks which ones, and closes those`}
          refused={
            open.length ? (failure ? t`the server does not answer` : null) : t`nothing is open`
          }
          onClick={context.closeAll}
        />
      </div>
      {writing && <NewSession context={context} close={stopWriting} />}
      {failure && (
        <p class="qs-lab-problem" role="status">
          {failure.message}
          {failure.kind === "missing" && (
            <>
              {" "}
              {t`Until then this panel, the status bar, the notifications and the questions before a kernel ends are off; the panel in the notebook works without it.`}
            </>
          )}
          {failure.kind === "down" && overview && (
            <>
              {" "}
              {t`What is shown is as of`}{" "}
              {formatClock(sessions.arrivedAt / 1000, Date.now() / 1000)}{" "}
              {zoneAt(sessions.arrivedAt / 1000)}.
            </>
          )}
        </p>
      )}
      {!overview && !failure && <p class="qs-lab-empty">{t`Asking the Jupyter server…`}</p>}
      {overview && overview.services.length > 0 && (
        <>
          <Totals context={context} />
          {overview.services.map((service) => (
            <Trouble key={service.key} context={context} service={service} />
          ))}
        </>
      )}
      <Open context={context} />
      {overview && <Ended context={context} />}
      {overview && overview.services.length === 0 && !failure && <Nothing />}
    </div>
  );
}

function Nothing() {
  return (
    <p class="qs-lab-empty">{t`No service is known here: save an IBM Quantum account, or open a session on the emulator with %%session --service local above a cell.`}</p>
  );
}

function Totals({ context: { sessions } }: { context: Context }) {
  const shown = sessions.totals();
  if (!shown) return null;
  return (
    <dl class="qs-lab-totals" aria-label={t`Sums over all sessions`}>
      {figures(shown, sessions.overview?.services ?? []).map(
        ({ key, value, note, would, title }) => (
          <div key={key} class={would ? "qs-lab-would" : ""} title={title}>
            <dt>{note}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

/** What is wrong with a service; nothing while it answers. */
function Trouble({ context: { sessions }, service }: { context: Context; service: Service }) {
  const now = sessions.now(service.key);
  const several = (sessions.overview?.services.length ?? 0) > 1;
  const { problem, problem_since: since, unread = [] } = service;
  const old = agoWords(answeredAgo(service, now));
  if (!problem && !old && unread.length === 0) return null;
  const known = sessions.open.some((each) => each.service === service.key);
  const name = several ? `${serviceTitle(service)}: ` : "";
  return (
    <section class="qs-lab-trouble" aria-label={serviceTitle(service)} title={service.account}>
      {problem && (
        <p class="qs-lab-problem" role="status">
          {name}
          {problem}
          {since !== null && t` Since ${formatClock(since, now)} ${zoneAt(since)}.`}
          {known && t` What is listed is the last that is known.`}
        </p>
      )}
      {unread.map((id) => (
        <p key={id} class="qs-lab-problem">
          {t`What the service says of`} {shortId(id)} {t`cannot be read: it is not listed here.`}
        </p>
      ))}
      {old && !problem && (
        <p class="qs-lab-note">
          {serviceTitle(service)}: {old}
        </p>
      )}
    </section>
  );
}

/** The open sessions by group. They are siblings of one list: a row that changes its group is the same row. */
function Open({ context }: { context: Context }) {
  const { sessions, actions } = context;
  const [asked] = useState<Asked>(() => new Map());
  const [, redraw] = useState(0);
  const listed = useRef<Placed[]>([]);
  for (const [key, { service }] of asked) {
    const workload = sessions.workloads.find((each) => keyOf(which(each)) === key);
    if (workload) asked.set(key, { workload, service });
  }
  const held = [...asked.values()].map(({ workload }) => workload);
  const shown = placed(sessions.workloads, actions.place, held, listed.current);
  listed.current = shown;
  const service = ({ service: key }: Workload) =>
    sessions.service(key) ??
    [...asked.values()].find((one) => one.service.key === key)?.service ??
    null;
  const onAsking = (workload: Workload, asking: boolean) => {
    const its = service(workload);
    if (asking && its) asked.set(keyOf(which(workload)), { workload, service: its });
    else asked.delete(keyOf(which(workload)));
    redraw((count) => count + 1);
  };
  if (shown.length === 0) {
    const services = sessions.overview?.services ?? [];
    const quiet = services.every(({ problem, unread }) => !problem && !unread?.length);
    return services.length && quiet ? <p class="qs-lab-empty">{t`No session is open.`}</p> : null;
  }
  const alone = shown.every(({ group }) => group !== "here");
  return (
    <section aria-label={t`Open sessions`}>
      {shown.flatMap(({ workload, group }, at) => {
        const its = service(workload);
        const first = shown[at - 1]?.group !== group;
        const together = shown.filter((each) => each.group === group).map((each) => each.workload);
        return [
          first && <h3 key={group}>{headingOf(group, together, alone)}</h3>,
          its && (
            <Row
              key={keyOf(which(workload))}
              context={context}
              workload={workload}
              service={its}
              now={sessions.now(workload.service)}
              stale={its.problem !== null || sessions.failure !== null}
              onAsking={onAsking}
            />
          ),
        ];
      })}
    </section>
  );
}

// Every session of the account and of the emulators, by service: what each does and costs, and how to end it.
import { useRef, useState } from "preact/hooks";
import { formatClock, plural, shortId } from "#shared/formatting";
import { useAsking } from "#shared/question";
import { isOpen, keyOf, which, type Service, type Workload } from "#shared/serverTypes";
import { endReason } from "#shared/messages/outcomes";
import { belongsHere } from "../state/currentNotebook";
import {
  agoWords,
  answeredAgo,
  closedToday,
  idleWords,
  inOrder,
  isOrphan,
  jobWords,
  kernelWords,
  ownerLabel,
  serviceTitle,
  usageWords,
} from "#shared/messages/labels";
import { useNews, type Context } from "./context";
import { Asked, Button, EndButtons, Notices, State, Timers } from "./Parts";

/** Those that something is asked about, as they were last known, with the service: their rows stay where they are. */
type Asked = Map<string, { workload: Workload; service: Service }>;

export function SidePanel({ context, visible }: { context: Context; visible: boolean }) {
  useNews(context, visible);
  const { sessions } = context;
  const { overview, failure } = sessions;
  const open = sessions.open;
  const [asked] = useState<Asked>(() => new Map());
  const services = [...(overview?.services ?? [])];
  for (const { service } of asked.values()) {
    if (!services.some(({ key }) => key === service.key)) services.push(service);
  }
  return (
    <div class="qs-lab-panel">
      <div class="qs-lab-top">
        <h2>Quantum sessions</h2>
        <Button
          name="Close all…"
          says="asks which ones, and closes those"
          refused={
            open.length ? (failure ? "the server does not answer" : null) : "nothing is open"
          }
          onClick={context.closeAll}
        />
      </div>
      {failure && (
        <p class="qs-lab-problem" role="status">
          {failure.message}
          {failure.kind === "missing" && (
            <>
              {" "}
              Until then this panel, the status bar, the notifications and the questions before a
              kernel ends are off; the panel in the notebook works without it.
            </>
          )}
          {failure.kind === "down" && overview && (
            <>
              {" "}
              What is shown is as of {formatClock(sessions.arrivedAt / 1000, Date.now() / 1000)}.
            </>
          )}
        </p>
      )}
      {!overview && !failure && <p class="qs-lab-empty">Asking the Jupyter server…</p>}
      {services.map((service) => (
        <ServiceGroup key={service.key} context={context} service={service} asked={asked} />
      ))}
      {overview && overview.services.length === 0 && !failure && <Nothing />}
    </div>
  );
}

function Nothing() {
  return (
    <p class="qs-lab-empty">
      No service is known here: save an IBM Quantum account, or open a session on the emulator with
      %%session --service local above a cell.
    </p>
  );
}

interface GroupProps {
  context: Context;
  service: Service;
  asked: Asked;
}

function ServiceGroup({ context, service, asked }: GroupProps) {
  const { sessions } = context;
  const now = sessions.now(service.key);
  const mine = sessions.workloads.filter((workload) => workload.service === service.key);
  const [, redraw] = useState(0);
  const listed = useRef<string[]>([]);
  const open = inOrder(mine.filter((each) => isOpen(each) || asked.has(keyOf(which(each)))));
  for (const [key, { workload }] of asked) {
    if (workload.service !== service.key) continue;
    const now = open.find((each) => keyOf(which(each)) === key);
    if (now) asked.set(key, { workload: now, service });
    else open.push(workload);
  }
  if (asked.size > 0) {
    const rank = (each: Workload) => {
      const at = listed.current.indexOf(keyOf(which(each)));
      return at < 0 ? Infinity : at;
    };
    open.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  }
  listed.current = open.map((each) => keyOf(which(each)));
  const onAsking = (workload: Workload, asking: boolean) => {
    if (asking) asked.set(keyOf(which(workload)), { workload, service });
    else asked.delete(keyOf(which(workload)));
    redraw((count) => count + 1);
  };
  const closed = inOrder(
    mine.filter((each) => closedToday(each, now) && !asked.has(keyOf(which(each)))),
  );
  const age = answeredAgo(service, now);
  return (
    <section aria-label={serviceTitle(service)}>
      <div class="qs-lab-service">
        <h3 title={service.account}>{serviceTitle(service)}</h3>
        <span class="qs-lab-note">{agoWords(age)}</span>
      </div>
      {service.problem && (
        <p class="qs-lab-problem" role="status">
          {service.problem}
          {service.problem_since !== null && ` Since ${formatClock(service.problem_since, now)}.`}
          {open.length > 0 && " What is listed is the last that is known."}
        </p>
      )}
      {service.unread?.map((id) => (
        <p key={id} class="qs-lab-problem">
          What the service says of {shortId(id)} cannot be read: it is not listed here.
        </p>
      ))}
      {open.length === 0 && !service.problem && !service.unread?.length && (
        <p class="qs-lab-empty">No session is open.</p>
      )}
      {open.map((workload) => (
        <Row
          key={keyOf(which(workload))}
          context={context}
          workload={workload}
          now={now}
          stale={service.problem !== null || sessions.failure !== null}
          onAsking={onAsking}
        />
      ))}
      {closed.length > 0 && (
        <details class="qs-lab-closed" open={open.length === 0}>
          <summary>{plural(closed.length, "session")} closed today</summary>
          <ul>
            {closed.map((workload) => (
              <ClosedRow key={keyOf(which(workload))} workload={workload} now={now} />
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

interface RowProps {
  context: Context;
  workload: Workload;
  now: number;
  stale: boolean;
  onAsking: (workload: Workload, asking: boolean) => void;
}

function Row({ context, workload, now, stale, onAsking }: RowProps) {
  const asking = useAsking();
  const told = {
    ...asking,
    ask: () => {
      onAsking(workload, true);
      asking.ask();
    },
    done: () => {
      onAsking(workload, false);
      asking.done();
    },
  };
  const { snapshot, opened_by: by } = workload;
  const { place } = context.actions;
  const here = place !== null && belongsHere(workload, place);
  const idle = idleWords(snapshot, now);
  const orphan = isOrphan(workload);
  const name = snapshot.name || by?.name;
  const refused = context.actions.attachRefused(workload);
  return (
    <article
      class={`qs-lab-row${orphan ? " qs-lab-orphan" : ""}${stale ? " qs-lab-stale" : ""}`}
      aria-label={`${snapshot.backend}, ${shortId(snapshot.session_id)}`}
    >
      <div class="qs-lab-head">
        <State workload={workload} now={now} />
        <span class="qs-lab-backend">{snapshot.backend}</span>
        {snapshot.mode === "batch" && <span class="qs-lab-chip">batch</span>}
        {name && <span class="qs-lab-name">{name}</span>}
        <span class="qs-lab-id" title={snapshot.session_id}>
          {shortId(snapshot.session_id, 4, 4)}
        </span>
      </div>
      <div class="qs-lab-owner">
        {by?.notebook ? (
          <button
            type="button"
            class="qs-lab-link"
            title={`Open ${by.notebook}`}
            onClick={() => context.openNotebook(workload)}
          >
            {by.label || by.notebook}
          </button>
        ) : (
          <span>{ownerLabel(workload)}</span>
        )}
        <span class={orphan ? "qs-lab-warn" : "qs-lab-note"}>
          {[kernelWords(workload), here ? "this notebook" : ""].filter(Boolean).join(" · ")}
        </span>
      </div>
      <Timers workload={workload} now={now} />
      <div class="qs-lab-usage">
        <span>
          {snapshot.started_at === null
            ? "nothing billed yet"
            : `usage ${usageWords(snapshot, now)}`}
        </span>
        {idle && <span class="qs-lab-warn">{idle}</span>}
        <span class="qs-lab-note">{jobWords(snapshot)}</span>
      </div>
      <div class="qs-lab-do">
        <EndButtons context={context} workload={workload} asking={told} />
        {!(here && by?.bound && !orphan) && (
          <Button
            name="Attach"
            says="inserts and runs a cell with %session attach in the current notebook"
            refused={refused}
            quiet
            onClick={() => context.attach(workload)}
          />
        )}
      </div>
      {!stale && <Notices workload={workload} now={now} />}
      {!stale && snapshot.problem && <p class="qs-lab-problem">{snapshot.problem}</p>}
      <Asked context={context} workload={workload} />
    </article>
  );
}

function ClosedRow({ workload, now }: { workload: Workload; now: number }) {
  const { snapshot } = workload;
  const how = snapshot.state_reason === "session_cancelled" ? "cancelled" : "closed";
  const at = snapshot.closed_at ?? now;
  const why = endReason(snapshot, at);
  return (
    <li>
      <span class="qs-lab-backend">{snapshot.backend}</span>
      <span class="qs-lab-id" title={snapshot.session_id}>
        {shortId(snapshot.session_id)}
      </span>
      <span class="qs-lab-note">
        {how} {formatClock(at, now)}
        {why && `, ${why}`} · {jobWords(snapshot)} · {ownerLabel(workload)}
      </span>
      <span>usage {usageWords(snapshot, now)}</span>
    </li>
  );
}

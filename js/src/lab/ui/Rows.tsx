// A session's row in the side panel: what it does and costs, and one row of actions.
import { t } from "#shared/translation";
import { smoothedPhase } from "#shared/idleSmoothing";
import { formatClock, formatDuration, shortId, zoneAt } from "#shared/formatting";
import { usage } from "#shared/metrics";
import { useAsking } from "#shared/question";
import type { Service, Snapshot, Workload } from "#shared/serverTypes";
import { endReason } from "#shared/messages/outcomes";
import {
  estimateWords,
  HEADLINES,
  idleWords,
  isOrphan,
  jobWords,
  kernelWords,
  ownerLabel,
  priceWords,
  timers,
  tone,
  usageWords,
} from "#shared/messages/labels";
import { costWords } from "#shared/messages/totals";
import { belongsHere } from "../state/currentNotebook";
import type { Context } from "./context";
import { Asked, Button, EndButtons, Notices } from "./Parts";

interface RowProps {
  context: Context;
  workload: Workload;
  service: Service;
  now: number;
  stale: boolean;
  onAsking: (workload: Workload, asking: boolean) => void;
}

export function Row({ context, workload, service, now, stale, onAsking }: RowProps) {
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
  const orphan = isOrphan(workload);
  const name = snapshot.name || by?.name;
  const refused = context.actions.attachRefused(workload);
  return (
    <article
      class={`qs-lab-row${orphan ? " qs-lab-orphan" : ""}${stale ? " qs-lab-stale" : ""}`}
      aria-label={`${snapshot.backend}, ${shortId(snapshot.session_id)}`}
    >
      <div class="qs-lab-head">
        <span class="qs-lab-dot" data-tone={tone(workload, now)} aria-hidden="true" />
        <span class="qs-lab-backend">{snapshot.backend}</span>
        <span role="status">{HEADLINES[smoothedPhase(snapshot, now)]}</span>
        {snapshot.mode === "batch" && <span class="qs-lab-chip">{t`batch`}</span>}
        {name && <bdi class="qs-lab-name">{name}</bdi>}
        <span class="qs-lab-cost">{costWords(snapshot, now)}</span>
      </div>
      <div class="qs-lab-owner">
        {by?.notebook ? (
          <button
            type="button"
            class="qs-lab-link"
            title={t`Open ${by.notebook}`}
            onClick={() => context.openNotebook(workload)}
          >
            <bdi>{by.label || by.notebook}</bdi>
          </button>
        ) : (
          <span>{ownerLabel(workload)}</span>
        )}
        <span class={orphan ? "qs-lab-warn" : "qs-lab-note"}>{kernelWords(workload)}</span>
        <span class="qs-lab-note" title={service.account}>
          {serviceWords(service, context.sessions.overview?.services ?? [])}
        </span>
        <span class="qs-lab-id" title={snapshot.session_id}>
          {shortId(snapshot.session_id, 4, 4)}
        </span>
      </div>
      <Usage workload={workload} now={now} />
      <div class="qs-lab-foot">
        <Countdowns workload={workload} now={now} />
        <div class="qs-lab-do">
          <EndButtons context={context} workload={workload} asking={told} />
          {!(here && by?.bound && !orphan) && !asking.asking && (
            <Button
              name={t`Attach`}
              says={t`inserts and runs a cell with %session attach in the current notebook`}
              refused={refused}
              quiet
              onClick={() => context.attach(workload)}
            />
          )}
        </div>
      </div>
      {!stale && <Notices workload={workload} now={now} />}
      {!stale && snapshot.problem && <p class="qs-lab-problem">{snapshot.problem}</p>}
      <Asked context={context} workload={workload} />
    </article>
  );
}

function Usage({ workload: { snapshot }, now }: { workload: Workload; now: number }) {
  const idle = idleWords(snapshot, now);
  const { at_most: most, total } = usage(snapshot, now);
  const used =
    snapshot.started_at === null
      ? t`nothing billed yet`
      : t`usage ${most ? t`at most ` : ""}${formatDuration(total)}`;
  return (
    <div class="qs-lab-usage" title={estimateWords(snapshot)}>
      <span class="qs-lab-note">
        {used} · {jobWords(snapshot)}
      </span>
      {idle && <span class="qs-lab-warn">{idle}</span>}
    </div>
  );
}

/** The countdowns in one line, each with what follows at zero as its title. */
function Countdowns({ workload: { snapshot }, now }: { workload: Workload; now: number }) {
  return (
    <div class="qs-lab-countdowns">
      {timers(snapshot, now).map(({ label, short, text, note, low }) => (
        <span key={label} class={low ? "qs-lab-low" : ""} title={`${label}: ${note}`}>
          {short === t`closes in` ? t`closes by itself in` : short}{" "}
          <span class="qs-lab-figure" role="timer" aria-label={label} aria-live="off">
            {text}
          </span>
        </span>
      ))}
    </div>
  );
}

/** The service in few words: emulators have names, and instances of IBM's a label, where there are several. */
function serviceWords({ key, info }: Service, all: readonly Service[]): string {
  const name = /^local:(.+)/.exec(key)?.[1];
  if (info.joined) return t`${info.joined} (emulator)`;
  if (info.kind === "local") return name ? t`emulator “${name}”` : "emulator";
  return all.filter((each) => each.info.kind === "ibm").length > 1 ? info.label : "";
}

interface ClosedProps {
  snapshot: Snapshot;
  /** When it ended, by the reader's clock. */
  at: number;
  reader: number;
  owner: string;
}

/** A session that has ended: how and why, what it used, and at which price. */
export function ClosedRow({ snapshot, at, reader, owner }: ClosedProps) {
  const how = snapshot.state_reason === "session_cancelled" ? "cancelled" : "closed";
  // the service's time, as panel and receipt have it
  const ended = snapshot.closed_at ?? at;
  const why = endReason(snapshot, ended);
  return (
    <li>
      <span class="qs-lab-backend">
        {snapshot.backend} {snapshot.name && <bdi class="qs-lab-name">{snapshot.name}</bdi>}
      </span>
      <span class="qs-lab-id" title={snapshot.session_id}>
        {shortId(snapshot.session_id)}
      </span>
      <span class="qs-lab-note">
        {how} {formatClock(ended, reader)} {zoneAt(ended)}
        {why && `, ${why}`} · {jobWords(snapshot)} · <bdi>{owner}</bdi>
      </span>
      <span title={priceWords(snapshot.service)}>
        {t`usage`} {usageWords(snapshot, ended)}
      </span>
    </li>
  );
}

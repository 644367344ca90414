// The popover of the status bar's item: the session's countdowns, its cost, and the buttons that end it.
import { t } from "#shared/translation";
import { useEffect, useRef } from "preact/hooks";
import { noun } from "#shared/consequences";
import { shortId } from "#shared/formatting";
import { useAsking } from "#shared/question";
import { isOpen, type WorkloadRef } from "#shared/serverTypes";
import {
  agoWords,
  answeredAgo,
  closeSentence,
  estimateWords,
  idleSpan,
  isOrphan,
  jobWords,
  kernelWords,
  ownerLabel,
  usageWords,
} from "#shared/messages/labels";
import { totalsLine } from "#shared/messages/totals";
import { useNews, type Context } from "./context";
import { Asked, EndButtons, Notices, State, Timers } from "./Parts";

interface Props {
  context: Context;
  which: WorkloadRef;
  close: () => void;
  /** Close it without a click or key: the focus is left alone. */
  vanish: () => void;
}

export function Popover({ context, which, close, vanish }: Props) {
  useNews(context, true);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => root.current?.focus(), []);
  const { sessions } = context;
  const asking = useAsking();
  const found = sessions.find(which);
  const known = useRef(found);
  known.current = found ?? known.current;
  const workload = known.current;
  const over = !found && !asking.asking;
  useEffect(() => {
    if (over) vanish();
  }, [over]);
  const open = workload !== undefined && isOpen(workload);
  if (!workload) return null;
  const { snapshot } = workload;
  const now = sessions.now(workload.service);
  const service = sessions.service(workload.service);
  const idle = idleSpan(snapshot, now);
  const what = noun(snapshot);
  const all = sessions.totals();
  const old = service && agoWords(answeredAgo(service, now));
  const problem = sessions.failure?.message ?? service?.problem;
  return (
    <div
      ref={root}
      class="qs-lab-popover"
      role="dialog"
      tabIndex={-1}
      aria-label={t`Quantum ${what} on ${snapshot.backend}`}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <div class="qs-lab-top">
        <State workload={workload} now={now} />
        <span class="qs-lab-backend">{snapshot.backend}</span>
        <button type="button" class="qs-lab-x" aria-label={t`Close this window`} onClick={close}>
          ×
        </button>
      </div>
      <div class="qs-lab-where">
        {snapshot.service.label} ·{" "}
        <span class="qs-lab-id" title={snapshot.session_id}>
          {shortId(snapshot.session_id)}
        </span>
      </div>
      {problem && (
        <p class="qs-lab-problem" role="status">
          {problem}
        </p>
      )}
      {isOrphan(workload) && (
        <p class="qs-lab-problem">{t`The kernel that opened it is gone: attach it to a notebook in the side panel, or close it.`}</p>
      )}
      <Notices workload={workload} now={now} />
      <Timers workload={workload} now={now} />
      <dl class="qs-lab-facts">
        <dt>{t`Usage`}</dt>
        <dd title={estimateWords(snapshot)}>
          {snapshot.started_at === null ? t`none yet` : usageWords(snapshot, now)}
        </dd>
        {idle && (
          <>
            <dt>{t`Idle`}</dt>
            <dd class="qs-lab-warn">{idle}</dd>
          </>
        )}
        <dt>{t`Jobs`}</dt>
        <dd>{jobWords(snapshot)}</dd>
        <dt>{t`Opened by`}</dt>
        <dd>{[ownerLabel(workload), kernelWords(workload)].filter(Boolean).join(" · ")}</dd>
      </dl>
      <EndButtons context={context} workload={workload} asking={asking} />
      {open && snapshot.accepting_jobs && <p class="qs-lab-note">{closeSentence(snapshot)}</p>}
      <Asked context={context} workload={workload} />
      <div class="qs-lab-foot">
        <button
          type="button"
          class="qs-lab-link"
          onClick={() => {
            close();
            context.showPanel();
          }}
        >{t`All sessions`}</button>
        <span class="qs-lab-all">{all && totalsLine(all)}</span>
        {old && <span>{old}</span>}
      </div>
    </div>
  );
}

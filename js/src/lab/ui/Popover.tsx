// What the status bar's item opens: the session's countdowns, what it costs, and how to end it.
import { useEffect, useRef } from "preact/hooks";
import { noun } from "#shared/consequences";
import { shortId } from "#shared/format";
import { isOpen, type Which } from "../contract";
import {
  agoWords,
  answeredAgo,
  closeSentence,
  idleWords,
  isOrphan,
  jobWords,
  kernelWords,
  ownerLabel,
  usageWords,
} from "../words";
import { useNews, type Context } from "./context";
import { Asked, EndButtons, State, Timers } from "./Parts";

interface Props {
  context: Context;
  which: Which;
  close: () => void;
}

export function Popover({ context, which, close }: Props) {
  useNews(context, true);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => root.current?.focus(), []);
  const { sessions } = context;
  const workload = sessions.find(which);
  useEffect(() => {
    if (!workload) close();
  }, [workload]);
  const open = workload !== undefined && isOpen(workload);
  useEffect(() => {
    // the button that was pressed is gone with what it could do: the keyboard stays here
    if (document.activeElement === document.body) root.current?.focus();
  }, [open]);
  if (!workload) return null;
  const { snapshot } = workload;
  const now = sessions.now(workload.service);
  const service = sessions.service(workload.service);
  const idle = idleWords(snapshot, now);
  const what = noun(snapshot);
  const problem = sessions.failure?.message ?? service?.problem;
  return (
    <div
      ref={root}
      class="qs-lab-popover"
      role="dialog"
      tabIndex={-1}
      aria-label={`Quantum ${what} on ${snapshot.backend}`}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <div class="qs-lab-top">
        <State workload={workload} now={now} />
        <span class="qs-lab-backend">{snapshot.backend}</span>
        <button type="button" class="qs-lab-x" aria-label="Close this window" onClick={close}>
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
        <p class="qs-lab-problem">
          The kernel that opened it is gone: attach it to a notebook in the side panel, or close it.
        </p>
      )}
      <Timers workload={workload} now={now} />
      <dl class="qs-lab-facts">
        <dt>Usage</dt>
        <dd>{snapshot.started_at === null ? "none yet" : usageWords(snapshot, now)}</dd>
        {idle && (
          <>
            <dt>Idle</dt>
            <dd class="qs-lab-warn">{idle.replace(/^idle /, "")}</dd>
          </>
        )}
        <dt>Jobs</dt>
        <dd>{jobWords(snapshot)}</dd>
        <dt>Opened by</dt>
        <dd>{[ownerLabel(workload), kernelWords(workload)].filter(Boolean).join(" · ")}</dd>
      </dl>
      {open && <EndButtons context={context} workload={workload} />}
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
        >
          All sessions
        </button>
        <span>{service && agoWords(answeredAgo(service, now))}</span>
      </div>
    </div>
  );
}

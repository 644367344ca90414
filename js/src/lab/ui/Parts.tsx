// The parts that the popover and the side panel have in common: state, countdowns, and the two buttons.
import { t } from "#shared/translation";
import { useId } from "preact/hooks";
import { smoothedPhase } from "#shared/idleSmoothing";
import { ACTIONS, cancelSentence, consequences, noun } from "#shared/consequences";
import { Question, useSteady, type Asking } from "#shared/question";
import { isOpen, which, type EndAction, type Workload } from "#shared/serverTypes";
import { HEADLINES, timers, tone } from "#shared/messages/labels";
import { notices } from "#shared/messages/notices";
import type { Context } from "./context";

interface Props {
  context: Context;
  workload: Workload;
}

export function State({ workload, now }: { workload: Workload; now: number }) {
  return (
    <span class="qs-lab-state" role="status">
      <span class="qs-lab-dot" data-tone={tone(workload, now)} aria-hidden="true" />
      {HEADLINES[smoothedPhase(workload.snapshot, now)]}
    </span>
  );
}

/** Each countdown with what follows at zero. */
export function Timers({ workload, now }: { workload: Workload; now: number }) {
  const found = timers(workload.snapshot, now);
  if (found.length === 0) return null;
  return (
    <dl class="qs-lab-timers">
      {found.map((timer) => (
        <div key={timer.label} class={timer.low ? "qs-lab-low" : ""}>
          <dt>{timer.label}</dt>
          <dd>
            <span class="qs-lab-figure" role="timer" aria-label={timer.label} aria-live="off">
              {timer.text}
            </span>
            <span class="qs-lab-note">{timer.note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Its owner's sentences: the session that its jobs wait for, and answers that were lost. */
export function Notices({ workload, now }: { workload: Workload; now: number }) {
  const said = notices(workload.snapshot, now);
  return said ? <p class="qs-lab-problem">{said}</p> : null;
}

/** The last request made on this page, and its outcome as the service reported it. */
export function Asked({ context, workload }: Props) {
  const asked = context.sessions.askedOf(which(workload));
  if (!asked) return null;
  const words =
    asked.stage === "asked"
      ? t`Asked to ${ACTIONS[asked.action]}; the service has not answered yet.`
      : asked.message;
  return (
    <p class={`qs-lab-asked${asked.stage === "failed" ? " qs-lab-failed" : ""}`} role="status">
      {words}
    </p>
  );
}

function refused(context: Context, workload: Workload, action: EndAction): string | null {
  const { snapshot } = workload;
  const what = noun(snapshot);
  if (snapshot.state === "closed") return t`the ${what} is closed`;
  if (!context.sessions.find(which(workload))) return t`the ${what} is no longer listed`;
  if (context.sessions.failure?.kind === "missing") return t`the Jupyter server extension is off`;
  const asked = context.sessions.askedOf(which(workload));
  if (asked?.stage === "asked") return t`already asked to ${ACTIONS[asked.action]}`;
  if (action === "close" && !snapshot.accepting_jobs) return t`the ${what} is closing already`;
  return null;
}

export const QUESTION = {
  group: "qs-lab-buttons qs-lab-asking",
  says: "qs-lab-note",
  button: "qs-lab-button",
  confirm: "qs-lab-danger-solid",
};

/** Close and cancel, with what they do as their description; the question before cancelling takes their place. */
export function EndButtons({ context, workload, asking }: Props & { asking: Asking }) {
  const facts = consequences(workload.snapshot);
  const what = noun(workload.snapshot);
  const noClose = refused(context, workload, "close");
  const noCancel = refused(context, workload, "cancel");
  const end = (action: EndAction) => context.end(action, which(workload));
  if (asking.asking) {
    const over = noCancel === null || !isOpen(workload);
    return (
      <Question
        styles={QUESTION}
        focus={asking.question}
        title={t`Cancel this ${what}?`}
        says={over ? cancelSentence(workload.snapshot) : t`Not possible: ${noCancel}.`}
        meaning={facts.cost ? t`jobs are lost` : ""}
        refused={noCancel}
        confirm={t`Cancel ${what}`}
        keep={t`Keep ${what}`}
        onConfirm={() => {
          asking.done();
          end("cancel");
        }}
        onDismiss={asking.done}
      />
    );
  }
  if (!isOpen(workload)) return null;
  return (
    <div class="qs-lab-buttons">
      <Button
        name={t`Close ${what}`}
        says={facts.close}
        refused={noClose}
        onClick={() => end("close")}
      />
      <Button
        name={t`Cancel ${what}`}
        says={facts.cancel}
        refused={noCancel}
        danger
        buttonRef={asking.asker}
        onClick={asking.ask}
      />
    </div>
  );
}

interface ButtonProps {
  name: string;
  says: string;
  refused: string | null;
  danger?: boolean;
  quiet?: boolean;
  buttonRef?: { current: HTMLButtonElement | null };
  onClick: () => void;
}

// aria-disabled, not disabled: the button stays reachable, so that its reason can be read
export function Button({ name, says, refused, danger, quiet, buttonRef, onClick }: ButtonProps) {
  const id = useId();
  const { ref, settling, takes } = useSteady(refused === null ? "" : "refused");
  const described = refused === null ? says : t`Not possible: ${refused}`;
  const kind = `${danger ? " qs-lab-danger" : ""}${quiet ? " qs-lab-quiet" : ""}${refused === null ? "" : " qs-lab-refused"}`;
  return (
    <span class="qs-lab-action">
      <button
        ref={(button) => {
          ref.current = button;
          if (buttonRef) buttonRef.current = button;
        }}
        type="button"
        class={`qs-lab-button${kind}`}
        aria-describedby={id}
        aria-disabled={refused !== null || settling}
        title={described}
        onClick={(event) => takes(event) && refused === null && onClick()}
      >
        {name}
      </button>
      <span id={id} class="qs-lab-sr">
        {described}
      </span>
    </span>
  );
}

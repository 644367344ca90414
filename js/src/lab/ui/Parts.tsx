// The parts that the popover and the side panel have in common: state, countdowns, and the two buttons.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { calmHeadline } from "#shared/calm";
import { consequences, noun } from "#shared/consequences";
import { which, type Deed, type Workload } from "../contract";
import { cancelSentence, timers, tone } from "../words";
import type { Context } from "./context";

interface Props {
  context: Context;
  workload: Workload;
}

export function State({ workload, now }: { workload: Workload; now: number }) {
  return (
    <span class="qs-lab-state" role="status">
      <span class="qs-lab-dot" data-tone={tone(workload, now)} aria-hidden="true" />
      {calmHeadline(workload.snapshot, now)}
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

/** What was asked of it on this page, and what came of it: never a guess. */
export function Asked({ context, workload }: Props) {
  const asked = context.sessions.askedOf(which(workload));
  if (!asked) return null;
  const words =
    asked.stage === "asked"
      ? `Asked to ${asked.deed}; the service has not answered yet.`
      : asked.message;
  return (
    <p class={`qs-lab-asked${asked.stage === "failed" ? " qs-lab-failed" : ""}`} role="status">
      {words}
    </p>
  );
}

function refused(context: Context, workload: Workload, deed: Deed): string | null {
  const { snapshot } = workload;
  const what = noun(snapshot);
  if (snapshot.state === "closed") return `the ${what} is closed`;
  if (context.sessions.failure?.kind === "missing") return "the Jupyter server extension is off";
  const asked = context.sessions.askedOf(which(workload));
  if (asked?.stage === "asked") return `already asked to ${asked.deed}`;
  if (deed === "close" && !snapshot.accepting_jobs) return `the ${what} is closing already`;
  return null;
}

/** Close and cancel, with what they do as their description. Cancelling asks again where jobs would be lost. */
export function EndButtons({ context, workload }: Props) {
  const [asking, setAsking] = useState(false);
  const sure = useRef<HTMLButtonElement>(null);
  const id = useId();
  const facts = consequences(workload.snapshot);
  const what = noun(workload.snapshot);
  const noClose = refused(context, workload, "close");
  const noCancel = refused(context, workload, "cancel");
  const open = asking && noCancel === null && facts.cost > 0;
  useEffect(() => {
    if (open) sure.current?.focus();
  }, [open]);
  const end = (deed: Deed) => context.end(deed, which(workload));
  if (open) {
    return (
      <div
        class="qs-lab-buttons"
        role="group"
        aria-label={`Cancel this ${what}?`}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          setAsking(false);
        }}
      >
        <button
          ref={sure}
          type="button"
          class="qs-lab-button qs-lab-danger-solid"
          aria-describedby={id}
          onClick={() => {
            setAsking(false);
            end("cancel");
          }}
        >
          Cancel {what}
        </button>
        <button type="button" class="qs-lab-button" onClick={() => setAsking(false)}>
          Keep {what}
        </button>
        <p id={id} class="qs-lab-note">
          {cancelSentence(workload.snapshot)}
        </p>
      </div>
    );
  }
  return (
    <div class="qs-lab-buttons">
      <Button
        name={`Close ${what}`}
        says={facts.close}
        refused={noClose}
        onClick={() => end("close")}
      />
      <Button
        name={`Cancel ${what}`}
        says={facts.cancel}
        refused={noCancel}
        danger
        onClick={() => (facts.cost > 0 ? setAsking(true) : end("cancel"))}
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
  onClick: () => void;
}

// aria-disabled, not disabled: the button stays reachable, so that its reason can be read
export function Button({ name, says, refused, danger, quiet, onClick }: ButtonProps) {
  const id = useId();
  const described = refused === null ? says : `Not possible: ${refused}`;
  const kind = `${danger ? " qs-lab-danger" : ""}${quiet ? " qs-lab-quiet" : ""}`;
  return (
    <span class="qs-lab-action">
      <button
        type="button"
        class={`qs-lab-button${kind}`}
        aria-describedby={id}
        aria-disabled={refused !== null}
        title={described}
        onClick={() => refused === null && onClick()}
      >
        {name}
      </button>
      <span id={id} class="qs-lab-sr">
        {described}
      </span>
    </span>
  );
}

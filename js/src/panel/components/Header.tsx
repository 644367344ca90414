import { useId, useState } from "preact/hooks";
import { smoothedPhase } from "#shared/idleSmoothing";
import { cancelSentence, consequences, noun } from "#shared/consequences";
import { shortId } from "#shared/formatting";
import { HEADLINES } from "#shared/messages/labels";
import { phaseTone } from "#shared/metrics";
import { Question, useAsking } from "#shared/question";
import { isDone, isOver } from "../state/commands";
import type { SessionStore } from "../state/store";
import { ActionButton } from "./ActionButton";
import { endedActions } from "./EndedActions";

export function Header({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot } = store;
  const phase = smoothedPhase(snapshot, now);
  return (
    <header class="qs-header">
      <div class="qs-title">
        <span class="qs-what-it-is">
          <span class="qs-state" role="status">
            <span class={`qs-dot qs-dot-${phaseTone(phase)}`} aria-hidden="true" />
            {HEADLINES[phase]}
          </span>
          <span class="qs-backend" title={snapshot.backend}>
            {snapshot.backend}
          </span>
        </span>
        <span class="qs-which">
          <span class="qs-chip">{snapshot.service.label}</span>
          {snapshot.name && (
            <span class="qs-name" dir="auto" title={snapshot.name}>
              {snapshot.name}
            </span>
          )}
          {snapshot.session_id && <SessionId id={snapshot.session_id} />}
        </span>
      </div>
      {snapshot.mode !== "job" && <Actions store={store} />}
    </header>
  );
}

function SessionId({ id }: { id: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(id);
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      // pages that are not served over https may not write to it
      window.prompt("Copy the id:", id);
    }
  };
  return (
    <span class="qs-id">
      <span title={id}>{shortId(id)}</span>
      <button
        type="button"
        class="qs-copy"
        aria-label={`Copy the id ${id}`}
        title="Copy the id"
        onClick={copy}
      >
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          {copied ? (
            <path d="M3 8.5 6.5 12 13 4.5" fill="none" stroke="currentColor" stroke-width="1.6" />
          ) : (
            <g fill="none" stroke="currentColor" stroke-width="1.3">
              <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
              <path d="M10.5 3.5v-.2a1.3 1.3 0 0 0-1.3-1.3H3.3A1.3 1.3 0 0 0 2 3.3v5.9a1.3 1.3 0 0 0 1.3 1.3h.2" />
            </g>
          )}
        </svg>
      </button>
      <span class="qs-sr" role="status">
        {copied ? "Copied" : ""}
      </span>
    </span>
  );
}

/** Why a button cannot be used, or null when it can. */
export function refusals(store: SessionStore): { close: string | null; cancel: string | null } {
  const { snapshot, commands } = store;
  const what = noun(snapshot);
  const over = `the ${what} is closed`;
  if (snapshot.state === "closed") return { close: over, cancel: over };
  if (store.link === "lost" && !commands.hasServer) {
    const reason = "the kernel that shows this panel is gone";
    return { close: reason, cancel: reason };
  }
  const command = commands.session;
  // where the Jupyter server could not do it, it may at a second try, whatever the kernel still does
  const asked =
    command && (isDone(command) || (!isOver(command) && command.server?.stage !== "failed"));
  const close = !snapshot.accepting_jobs
    ? `the ${what} is closing already`
    : asked
      ? `already asked to ${command.action}`
      : null;
  const cancel = asked && command.action === "cancel" ? "already asked to cancel" : null;
  return { close, cancel };
}

/** How questions look in the panel. */
export const QUESTION = {
  group: "qs-question",
  says: "qs-ask",
  button: "qs-button",
  confirm: "qs-danger-solid",
};

function Actions({ store }: { store: SessionStore }) {
  const { snapshot } = store;
  const { asking, question, asker, ask, done } = useAsking();
  const id = useId();
  const what = noun(snapshot);
  const facts = consequences(snapshot);
  const refused = refusals(store);
  if (asking) {
    const over = refused.cancel === null || snapshot.state === "closed";
    return (
      <Question
        styles={{ ...QUESTION, group: "qs-actions qs-asking" }}
        focus={question}
        title={`Cancel this ${what}?`}
        says={over ? cancelSentence(snapshot) : `Not possible: ${refused.cancel}.`}
        refused={refused.cancel}
        confirm={`Cancel ${what}`}
        keep={`Keep ${what}`}
        onConfirm={() => {
          store.commands.request("cancel");
          done();
        }}
        onDismiss={done}
      />
    );
  }
  if (snapshot.state === "closed") return endedActions(store, id);
  return (
    <div class="qs-actions">
      <ActionButton
        name={`Close ${what}`}
        id={`${id}-close`}
        consequence={facts.close}
        refused={refused.close}
        onClick={() => store.commands.request("close")}
      />
      <ActionButton
        name={`Cancel ${what}`}
        id={`${id}-cancel`}
        consequence={facts.cancel}
        refused={refused.cancel}
        danger
        buttonRef={asker}
        onClick={ask}
      />
    </div>
  );
}

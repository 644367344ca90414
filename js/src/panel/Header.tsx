import { useEffect, useId, useRef, useState } from "preact/hooks";
import { calmHeadline } from "#shared/calm";
import { consequences, noun, type Consequences } from "#shared/consequences";
import { plural, shortId } from "#shared/format";
import { isDone, isOver } from "./commands";
import type { SessionStore } from "./store";

/** Which colour the state's dot has; the words beside it say the same. */
function tone(words: string): string {
  if (words === "Active" || words === "Job mode, running") return "done";
  if (words === "Active, idle" || words === "Closing") return "warning";
  return "queued";
}

export function Header({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot } = store;
  const words = calmHeadline(snapshot, now);
  return (
    <header class="qs-header">
      <div class="qs-title">
        <span class="qs-what-it-is">
          <span class="qs-state" role="status">
            <span class={`qs-dot qs-dot-${tone(words)}`} aria-hidden="true" />
            {words}
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
  if (snapshot.state === "closed") {
    const reason = `the ${what} is closed`;
    return { close: reason, cancel: reason };
  }
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

/** What cancelling costs, before it is done. */
function question(what: string, { cost, running }: Consequences): string {
  const lost = `${plural(cost, "queued job")} ${cost === 1 ? "is" : "are"} lost`;
  if (running === 0) return `Ends the ${what}; ${lost}.`;
  return `Ends the ${what}; ${lost}, ${plural(running, "running job")} ${running === 1 ? "finishes" : "finish"}.`;
}

function Actions({ store }: { store: SessionStore }) {
  const { snapshot } = store;
  const [asking, setAsking] = useState(false);
  const id = useId();
  const confirm = useRef<HTMLButtonElement>(null);
  const cancel = useRef<HTMLButtonElement>(null);
  const what = noun(snapshot);
  const facts = consequences(snapshot);
  const refused = refusals(store);
  const open = asking && refused.cancel === null && facts.cost > 0;

  useEffect(() => {
    if (open) confirm.current?.focus();
  }, [open]);

  const stop = () => {
    setAsking(false);
    requestAnimationFrame(() => cancel.current?.focus());
  };
  const onCancel = () => {
    if (refused.cancel !== null) return;
    if (facts.cost > 0 && !open) setAsking(true);
    else store.commands.request("cancel");
  };
  const onConfirm = () => {
    store.commands.request("cancel");
    stop();
  };

  if (open) {
    return (
      <div
        class="qs-actions"
        role="group"
        aria-label={`Cancel this ${what}?`}
        onKeyDown={(event) => event.key === "Escape" && stop()}
      >
        <span class="qs-ask" id={`${id}-ask`}>
          {question(what, facts)}
        </span>
        <button
          ref={confirm}
          type="button"
          class="qs-button qs-danger-solid"
          aria-describedby={`${id}-ask`}
          onClick={onConfirm}
        >
          Cancel {what}
        </button>
        <button type="button" class="qs-button" onClick={stop}>
          Keep {what}
        </button>
      </div>
    );
  }
  return (
    <div class="qs-actions">
      <ActionButton
        name={`Close ${what}`}
        id={`${id}-close`}
        consequence={facts.close}
        refused={refused.close}
        onClick={() => refused.close === null && store.commands.request("close")}
      />
      <ActionButton
        name={`Cancel ${what}`}
        id={`${id}-cancel`}
        consequence={facts.cancel}
        refused={refused.cancel}
        danger
        buttonRef={cancel}
        onClick={onCancel}
      />
    </div>
  );
}

interface ActionButtonProps {
  name: string;
  id: string;
  consequence: string;
  refused: string | null;
  danger?: boolean;
  buttonRef?: { current: HTMLButtonElement | null };
  onClick: () => void;
}

// aria-disabled, not disabled: the button stays reachable, so that its reason can be read
function ActionButton({
  name,
  id,
  consequence,
  refused,
  danger,
  buttonRef,
  onClick,
}: ActionButtonProps) {
  return (
    <span class="qs-action">
      <button
        {...(buttonRef ? { ref: buttonRef } : {})}
        type="button"
        class={`qs-button${danger ? " qs-danger" : ""}`}
        aria-describedby={id}
        aria-disabled={refused !== null}
        onClick={onClick}
      >
        {name}
      </button>
      <span id={id} class="qs-tip" role="tooltip">
        {refused === null ? consequence : `Not possible: ${refused}`}
      </span>
    </span>
  );
}

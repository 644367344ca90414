import { t } from "#shared/translation";
import { useId } from "preact/hooks";
import { smoothedPhase } from "#shared/idleSmoothing";
import { ACTIONS, cancelSentence, consequences, noun } from "#shared/consequences";
import { shortId } from "#shared/formatting";
import { HEADLINES } from "#shared/messages/labels";
import { phaseTone } from "#shared/metrics";
import { Question, useAsking } from "#shared/question";
import { isDone, isOver } from "../state/commands";
import type { SessionStore } from "../state/store";
import { ActionButton } from "./ActionButton";
import { CopyId } from "./CopyId";
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
          {snapshot.session_id && (
            <span class="qs-id">
              <span title={snapshot.session_id}>{shortId(snapshot.session_id)}</span>
              <CopyId id={snapshot.session_id} />
            </span>
          )}
        </span>
      </div>
      {snapshot.mode !== "job" && <Actions store={store} />}
    </header>
  );
}

/** Why a button cannot be used, or null when it can. */
export function refusals(store: SessionStore): { close: string | null; cancel: string | null } {
  const { snapshot, commands } = store;
  const what = noun(snapshot);
  const over = t`the ${what} is closed`;
  if (snapshot.state === "closed") return { close: over, cancel: over };
  if (store.link === "lost" && !commands.hasServer) {
    const reason = t`the kernel that shows this panel is gone`;
    return { close: reason, cancel: reason };
  }
  const command = commands.session;
  // where the Jupyter server could not do it, it may at a second try, whatever the kernel still does
  const asked =
    command && (isDone(command) || (!isOver(command) && command.server?.stage !== "failed"));
  const close = !snapshot.accepting_jobs
    ? t`the ${what} is closing already`
    : asked
      ? t`already asked to ${ACTIONS[command.action]}`
      : null;
  const cancel = asked && command.action === "cancel" ? t`already asked to cancel` : null;
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
        title={t`Cancel this ${what}?`}
        says={over ? cancelSentence(snapshot) : t`Not possible: ${refused.cancel}.`}
        meaning={facts.cost ? t`jobs are lost` : ""}
        refused={refused.cancel}
        confirm={t`Cancel ${what}`}
        keep={t`Keep ${what}`}
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
        name={t`Close ${what}`}
        id={`${id}-close`}
        consequence={facts.close}
        refused={refused.close}
        onClick={() => store.commands.request("close")}
      />
      <ActionButton
        name={t`Cancel ${what}`}
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

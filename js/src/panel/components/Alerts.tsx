// Messages in the place of the advice, where they push nothing away: the progress of a command, and a service or kernel
// that does not answer.
import { t } from "#shared/translation";
import { noun } from "#shared/consequences";
import { commandProgress } from "#shared/messages/commands";
import { connectionProblem } from "#shared/messages/connection";
import { notices } from "#shared/messages/notices";
import { isDone, isOver } from "../state/commands";
import type { SessionStore } from "../state/store";

export function Alerts({ store, now }: { store: SessionStore; now: number }) {
  const { snapshot, link } = store;
  const problem = connectionProblem(snapshot, link, store.commands.hasServer, store.fed, now);
  const said = notices(snapshot, now);
  // what it came to is the panel's own state, once it is over
  const given = store.commands.session;
  const command = snapshot.state === "closed" && given && isDone(given) ? null : given;
  const waiting = command && !isDone(command) && (isOver(command) || command.stage === "waiting");
  return (
    <>
      <div role="status" class="qs-live">
        {command && (
          <div class={`qs-notice qs-notice-${waiting ? "warning" : "plain"}`}>
            <span>{commandProgress(command, noun(snapshot), store.sessionId, link)}</span>
            {isOver(command) && (
              <button
                type="button"
                class="qs-dismiss"
                aria-label={t`Dismiss this message`}
                onClick={(event) => {
                  // what is clicked goes: the focus goes on with what it was about
                  const panel = event.currentTarget.closest(".qs-panel");
                  panel?.querySelector<HTMLElement>(".qs-button")?.focus();
                  store.commands.dismiss();
                }}
              >
                ×
              </button>
            )}
          </div>
        )}
      </div>
      <div role="status" class="qs-live">
        {problem && <div class="qs-notice qs-notice-warning">{problem}</div>}
      </div>
      {/* nobody is read a countdown every second */}
      <div role={snapshot.blocker ? undefined : "status"} class="qs-live">
        {said && <div class="qs-notice qs-notice-warning">{said}</div>}
      </div>
    </>
  );
}

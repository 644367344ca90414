// What can still be done with a session that is over.
import { sentences, t } from "#shared/translation";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ending } from "../state/protocol";
import type { SessionStore } from "../state/store";
import { ActionButton } from "./ActionButton";

const EXPORTS = sentences({ csv: "Jobs and values (CSV)", json: "Everything (JSON)" });

/** A function, not a component: the button that had the focus when the session ended keeps it. */
export function endedActions(store: SessionStore, id: string) {
  // files are made by the kernel
  const kernel = store.link !== "lost" && store.link !== "broken";
  return (
    <div class="qs-actions">
      {kernel && (
        <ActionButton
          name={t`Receipt`}
          id={`${id}-close`}
          consequence={t`opens in a tab of its own`}
          refused={null}
          onClick={() => store.export("html")}
        />
      )}
      {kernel && <Export store={store} />}
      <ToCell />
    </div>
  );
}

function Export({ store }: { store: SessionStore }) {
  return (
    <span class="qs-action">
      <select
        class="qs-button"
        aria-label={t`Export`}
        // the notebook's own keys must not see what is typed here
        onKeyDown={(event) => event.stopPropagation()}
        onChange={({ currentTarget: chosen }) => {
          store.export(chosen.value as Ending);
          chosen.value = "";
        }}
      >
        <option value="" hidden>{t`Export`}</option>
        {Object.keys(EXPORTS).map((ending) => (
          <option key={ending} value={ending}>
            {EXPORTS[ending as keyof typeof EXPORTS]}
          </option>
        ))}
      </select>
    </span>
  );
}

/** Scrolls to the cell of the notebook that the panel stands below; elsewhere there is no such button. */
function ToCell() {
  const root = useRef<HTMLSpanElement>(null);
  const [cell, setCell] = useState<Element | null>(null);
  useLayoutEffect(() => setCell(root.current!.closest(".jp-Cell")), []);
  return (
    <span ref={root} class="qs-action" hidden={!cell}>
      <button
        type="button"
        class="qs-button"
        onClick={() => cell?.scrollIntoView()}
      >{t`To the cell`}</button>
    </span>
  );
}

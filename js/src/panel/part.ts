// The anywidget of one part of a panel. The panel's own model draws it, whose code has come to the page already.
import { t } from "#shared/translation";
import { panelOf, watchPanels, type Draw } from "./state/openPanels";
import type { PanelModel } from "./state/protocol";

/** How long the panel's model may take to come to the page before that is said. */
const TIMEOUT_MS = 10_000;

export default {
  render({ model, el }: { model: PanelModel; el: HTMLElement }) {
    let drawn: Draw | undefined;
    let remove: (() => void) | undefined;
    let late = false;
    const draw = () => {
      const found = panelOf(model.get("session_id") as string);
      if (found === drawn) return;
      remove?.();
      el.textContent = "";
      drawn = found;
      remove = found?.(model.get("part") as string, el);
      say();
    };
    const say = () => {
      if (late && !drawn) el.textContent = t`The session is not on this page: run its cell again.`;
    };
    const timer = setTimeout(() => {
      late = true;
      say();
    }, TIMEOUT_MS);
    const unwatch = watchPanels(draw);
    draw();
    return () => {
      clearTimeout(timer);
      unwatch();
      remove?.();
    };
  },
};

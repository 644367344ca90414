// The anywidget: one store for each model, one tree of components for each view of it.
import { render } from "preact";
import { Panel } from "./Panel";
import "./panel.css";
import type { PanelModel } from "./protocol";
import { SessionStore } from "./store";

export default () => {
  let store: SessionStore | undefined;
  return {
    initialize({ model, signal }: { model: PanelModel; signal?: AbortSignal }) {
      store = new SessionStore(model);
      signal?.addEventListener("abort", () => store?.dispose());
      return () => store?.dispose();
    },
    render({ model, el }: { model: PanelModel; el: HTMLElement }) {
      const own = (store ??= new SessionStore(model));
      render(<Panel store={own} />, el);
      return () => render(null, el);
    },
  };
};

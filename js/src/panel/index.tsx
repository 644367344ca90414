// The anywidget: one store for each model, one tree of components for each view of it and of its parts.
import { render } from "preact";
import { Panel } from "./components/Panel";
import "./panel.css";
import { keepListening } from "./state/lateModel";
import { offerParts } from "./state/openPanels";
import type { PanelModel } from "./state/protocol";
import { SessionStore } from "./state/store";

export default () => {
  let store: SessionStore | undefined;
  return {
    initialize({ model, signal }: { model: PanelModel; signal?: AbortSignal }) {
      const own = (store = new SessionStore(model));
      // what was asked so far, it was not told
      void keepListening(model).then((late) => late && own.sync());
      const withdraw = offerParts(own.sessionId, (part, el) => {
        render(<Panel store={own} part={part} />, el);
        return () => render(null, el);
      });
      const dispose = () => {
        withdraw();
        own.dispose();
        // what is drawn after that needs one that listens
        if (store === own) store = undefined;
      };
      signal?.addEventListener("abort", dispose);
      return dispose;
    },
    render({ model, el }: { model: PanelModel; el: HTMLElement }) {
      const own = (store ??= new SessionStore(model));
      render(<Panel store={own} />, el);
      return () => render(null, el);
    },
  };
};

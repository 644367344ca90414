// Shows the receipt that is saved beside a panel (views/receipt.py) in a notebook whose kernel no longer has the panel.
// ipywidgets renders every output that holds a widget, and without a kernel shows only that there is no model; other
// front ends then show the next best form, and so does this.
import type { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";

const VIEW = "application/vnd.jupyter.widget-view+json";
const HTML = "text/html";
const OURS = "qsession-receipt";
/** ipywidgets looks for a model for two seconds, and where there is no kernel it waits for ever. */
const VIEW_TIMEOUT_MS = 3_000;

/** Show the receipt wherever this registry's renderers, or those of its copies, cannot show the panel. */
export function showReceipts(registry: IRenderMimeRegistry): void {
  const { clone, createRenderer } = registry;
  // each notebook has a copy, into which ipywidgets puts a renderer of its own once there is a kernel: so what makes
  // renderers is wrapped, and not one of them
  registry.clone = (options) => {
    const copy = clone.call(registry, options);
    showReceipts(copy);
    return copy;
  };
  registry.createRenderer = (mimeType) => {
    const renderer = createRenderer.call(registry, mimeType);
    if (mimeType === VIEW) fallBack(renderer, () => registry.createRenderer(HTML));
    return renderer;
  };
}

function fallBack(renderer: IRenderMime.IRenderer, another: () => IRenderMime.IRenderer): void {
  const { renderModel } = renderer;
  let latest: IRenderMime.IMimeModel | null = null;
  renderer.renderModel = (model) => {
    latest = model;
    const rendered = renderModel.call(renderer, model);
    if (!source(model).includes(OURS)) return rendered;
    const look = async () => {
      // text is all that ipywidgets has to show while there is no view, and of no use to anybody
      const viewed = renderer.isDisposed || renderer.node.childElementCount > 0;
      if (latest !== model || viewed) return;
      const receipt = another();
      // as an output of its own would look
      receipt.addClass("jp-OutputArea-output");
      await receipt.renderModel(model);
      renderer.removeClass("jupyter-widgets");
      renderer.node.replaceChildren(receipt.node);
      renderer.disposed.connect(() => receipt.dispose());
    };
    const timer = setTimeout(look, VIEW_TIMEOUT_MS);
    // not awaited: what ipywidgets writes to the console of it would name this file
    return rendered.then(() => {
      // it may be about to try once more: that it does by calling this again
      if (!renderer.node.textContent?.startsWith("Error")) return undefined;
      clearTimeout(timer);
      return look();
    });
  };
}

function source({ data }: IRenderMime.IMimeModel): string {
  const html = data[HTML];
  return Array.isArray(html) ? html.join("") : String(html ?? "");
}

// Messages of the kernel for a panel whose code came late. anywidget (0.11) gives a widget's code two seconds to come, as
// AbortSignal.timeout counts them. After that it draws the widget when the code is there, but hands it no message any more
// and says nothing of it. A page with twenty panels on a busy machine takes longer than that.
import type { PanelModel } from "./protocol";

interface Message {
  content: { data: { method: string } };
}

/** The model behind what anywidget hands to a widget. */
interface OwnModel {
  get(name: string): unknown;
  comm?: { on_msg(callback: (message: Message) => unknown): void };
  _handle_comm_msg(message: Message): Promise<unknown>;
}

/** Of no kind that a model knows: it is waited with, and nothing is done. */
const NOTHING: Message = { content: { data: { method: "" } } };

/** Have messages handed to a model by ipywidgets alone, where anywidget has given up; resolves to whether it has. */
export async function keepListening(model: PanelModel): Promise<boolean> {
  const own = await ownModel(model);
  try {
    await own._handle_comm_msg(NOTHING);
    return false;
  } catch {
    // the class that anywidget's is made of
    const above = Object.getPrototypeOf(Object.getPrototypeOf(own)) as OwnModel;
    if (!own.comm || typeof above?._handle_comm_msg !== "function") return false;
    own.comm.on_msg((message) => above._handle_comm_msg.call(own, message));
    return true;
  }
}

/** Never resolves where the front end keeps its models otherwise than JupyterLab's, Notebook's and VS Code's. */
function ownModel(model: PanelModel): Promise<OwnModel> {
  const manager = model.widget_manager as { _models?: Record<string, Promise<OwnModel>> };
  return new Promise((resolve) => {
    for (const each of Object.values(manager?._models ?? {})) {
      void Promise.resolve(each).then(
        (own) => {
          // one object, which no other model has
          if (own.get("facts") === model.get("facts")) resolve(own);
        },
        () => undefined,
      );
    }
  });
}

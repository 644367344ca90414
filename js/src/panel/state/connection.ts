// The connection of the page to its kernel, where the front end reports it: JupyterLab and Notebook 7 do. A server that is
// gone or a network that is down sends nothing, and silence otherwise means that nothing has changed.
import type { PanelModel } from "./protocol";
import { reachabilityOf, type ServerReachability, type ServerSettings } from "./serverReachability";

/** Shorter breaks mend themselves before anybody would have read of them. */
const GRACE_MS = 3000;

type Slot = () => void;

/** The parts of JupyterLab's kernel connection that are used. */
interface Kernel {
  connectionStatus: string;
  connectionStatusChanged: { connect(slot: Slot): unknown; disconnect(slot: Slot): unknown };
  serverSettings?: ServerSettings;
}

export class Connection {
  readonly #kernel: Kernel | null;
  readonly #server: ServerReachability | null;
  readonly #unwatch: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The front end called it something else than connected when it was last looked at. */
  #apart = false;
  /** It has been away for longer than the grace, or the server behind it cannot be reached. */
  broken = false;

  constructor(
    model: PanelModel,
    private readonly changed: (broken: boolean) => void,
  ) {
    const manager = model.widget_manager as { kernel?: Partial<Kernel> | null } | undefined;
    const kernel = manager?.kernel;
    this.#kernel =
      kernel?.connectionStatus && kernel.connectionStatusChanged ? (kernel as Kernel) : null;
    const settings = this.#kernel?.serverSettings;
    this.#server = settings?.baseUrl ? reachabilityOf(settings) : null;
    this.#kernel?.connectionStatusChanged.connect(this.#look);
    this.#unwatch = this.#server?.watch(this.#look) ?? (() => {});
    this.#look();
  }

  /** False when it is known that the Jupyter server does not answer this page. */
  get serverAnswers(): boolean {
    return this.#server?.reached !== false;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#kernel?.connectionStatusChanged.disconnect(this.#look);
    this.#unwatch();
  }

  readonly #look: Slot = () => {
    clearTimeout(this.#timer);
    const apart = this.#kernel !== null && this.#kernel.connectionStatus !== "connected";
    if (this.#server?.reached === false) this.#breaks();
    else if (apart) this.#timer = setTimeout(this.#breaks, GRACE_MS);
    else if (this.broken || this.#apart) this.#mends();
    this.#apart = apart;
  };

  readonly #breaks = () => {
    if (this.broken) return;
    this.broken = true;
    this.changed(true);
  };

  #mends(): void {
    this.broken = false;
    this.changed(false);
  }
}

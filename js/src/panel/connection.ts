// Whether the page can hear its kernel at all, where the front end knows: JupyterLab and Notebook 7 do. A server that is
// gone or a network that is down sends nothing, and "nothing" otherwise means that nothing has changed.
import type { PanelModel } from "./protocol";
import { reachOf, type Reach, type ServerSettings } from "./reach";

/** Shorter breaks mend themselves before anybody would have read of them. */
const GRACE_MS = 3000;

type Slot = () => void;

/** What is used of JupyterLab's connection to a kernel. */
interface Kernel {
  connectionStatus: string;
  connectionStatusChanged: { connect(slot: Slot): unknown; disconnect(slot: Slot): unknown };
  serverSettings?: ServerSettings;
}

export class Connection {
  private readonly kernel: Kernel | null;
  private readonly reach: Reach | null;
  private readonly unwatch: () => void;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The front end called it something else than connected when it was last looked at. */
  private apart = false;
  /** It has been away for longer than the grace, or the server behind it cannot be reached. */
  broken = false;

  constructor(
    model: PanelModel,
    private readonly changed: (broken: boolean) => void,
  ) {
    const manager = model.widget_manager as { kernel?: Partial<Kernel> | null } | undefined;
    const kernel = manager?.kernel;
    this.kernel =
      kernel?.connectionStatus && kernel.connectionStatusChanged ? (kernel as Kernel) : null;
    const settings = this.kernel?.serverSettings;
    this.reach = settings?.baseUrl ? reachOf(settings) : null;
    this.kernel?.connectionStatusChanged.connect(this.look);
    this.unwatch = this.reach?.watch(this.look) ?? (() => {});
    this.look();
  }

  /** False when it is known that the Jupyter server does not answer this page. */
  get serverAnswers(): boolean {
    return this.reach?.reached !== false;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.kernel?.connectionStatusChanged.disconnect(this.look);
    this.unwatch();
  }

  private readonly look: Slot = () => {
    clearTimeout(this.timer);
    const apart = this.kernel !== null && this.kernel.connectionStatus !== "connected";
    if (this.reach?.reached === false) this.breaks();
    else if (apart) this.timer = setTimeout(this.breaks, GRACE_MS);
    else if (this.broken || this.apart) this.mends();
    this.apart = apart;
  };

  private readonly breaks = () => {
    if (this.broken) return;
    this.broken = true;
    this.changed(true);
  };

  private mends(): void {
    this.broken = false;
    this.changed(false);
  }
}

// Whether the page can hear its kernel at all, where the front end knows: JupyterLab and Notebook 7 do. A server that is
// gone or a network that is down sends nothing, and "nothing" otherwise means that nothing has changed.
import type { PanelModel } from "./protocol";

/** Shorter breaks mend themselves before anybody would have read of them. */
const GRACE_MS = 3000;

type Slot = () => void;

/** What is used of JupyterLab's connection to a kernel. */
interface Kernel {
  connectionStatus: string;
  connectionStatusChanged: { connect(slot: Slot): unknown; disconnect(slot: Slot): unknown };
}

export class Connection {
  private readonly kernel: Kernel | null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** It has been away for longer than the grace. */
  broken = false;

  constructor(
    model: PanelModel,
    private readonly changed: (broken: boolean) => void,
  ) {
    const manager = model.widget_manager as { kernel?: Partial<Kernel> | null } | undefined;
    const kernel = manager?.kernel;
    this.kernel =
      kernel?.connectionStatus && kernel.connectionStatusChanged ? (kernel as Kernel) : null;
    this.kernel?.connectionStatusChanged.connect(this.look);
    this.look();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.kernel?.connectionStatusChanged.disconnect(this.look);
  }

  private readonly look: Slot = () => {
    clearTimeout(this.timer);
    if (!this.kernel) return;
    if (this.kernel.connectionStatus === "connected") this.tell(false);
    else this.timer = setTimeout(() => this.tell(true), GRACE_MS);
  };

  private tell(broken: boolean): void {
    if (this.broken === broken) return;
    this.broken = broken;
    this.changed(broken);
  }
}

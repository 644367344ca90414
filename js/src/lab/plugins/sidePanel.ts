// The side panel's widget. What it shows is loaded when it is first shown.
import { t } from "#shared/translation";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { sessionsIcon } from "../ui/icon";
import type { Context } from "../ui/context";

/** As when another version was installed while the page was open. */
export const notLoaded = () =>
  t`What shows the sessions could not be loaded from the Jupyter server: load the page again.`;
export const PANEL_ID = "qsession-panel";

export class PanelWidget extends Widget {
  private draw: ((visible: boolean) => void) | null = null;
  private loading = false;

  constructor(private readonly context: Context) {
    super();
    this.id = PANEL_ID;
    this.title.icon = sessionsIcon;
    this.title.caption = t`Quantum sessions`;
    this.addClass("qs-lab-side");
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", t`Quantum sessions`);
    this.node.tabIndex = -1;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    void this.reveal();
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this.draw?.(false);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) void this.reveal();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus();
  }

  private async reveal(): Promise<void> {
    if (this.draw) {
      this.draw(true);
      return;
    }
    if (this.loading) return;
    this.loading = true;
    try {
      const { mountPanel } = await import("../ui/index");
      this.draw = mountPanel(this.node, this.context);
      this.draw(this.isVisible);
    } catch {
      this.node.textContent = notLoaded();
    } finally {
      this.loading = false;
    }
  }
}

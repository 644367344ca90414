// The user's settings, as schema/plugin.json describes them; all on until the settings are loaded.
import type { ISettingRegistry } from "@jupyterlab/settingregistry";

export const PLUGIN = "qsession-widgets:plugin";

export type Switch =
  | "statusBar"
  | "askBeforeShutdown"
  | "askBeforeClosingTab"
  | "notifyFirstJob"
  | "notifyIdle"
  | "notifyDeactivated"
  | "notifyMaximum"
  | "notifyClosed"
  | "notifyFailed"
  | "notifyBudget"
  | "notifyStray"
  | "notifyGuard"
  | "notifyOrphan";

export class Settings {
  private settings: ISettingRegistry.ISettings | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(registry: ISettingRegistry | null) {
    registry?.load(PLUGIN).then(
      (settings) => {
        this.settings = settings;
        settings.changed.connect(() => this.changed());
        this.changed();
      },
      (error: unknown) => console.warn("The settings of qsession-widgets could not be read", error),
    );
  }

  on(name: Switch): boolean {
    return this.settings?.composite[name] !== false;
  }

  subscribe(listener: () => void): void {
    this.listeners.add(listener);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

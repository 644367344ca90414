// Brings what Watch finds to JupyterLab's notifications, each with something to do, and takes back what has passed.
import { Notification } from "@jupyterlab/apputils";
import { which, type Which } from "./contract";
import { Watch, type Does, type Notice } from "./notices";
import type { Place } from "./place";
import type { Sessions } from "./sessions";
import type { Settings } from "./settings";

const LABELS: Record<Does, string> = {
  close: "Close session",
  show: "Show sessions",
  notebook: "Open notebook",
};
/** Long enough to be read, and it stays in the list. */
const AUTO_CLOSE_MS = 12_000;

export class Notifier {
  private readonly watch = new Watch();
  private readonly shown = new Map<string, string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly sessions: Sessions,
    private readonly settings: Settings,
    private readonly here: () => Place | null,
    /** The reader's hand is in the current notebook. */
    private readonly working: () => boolean,
    private readonly act: (does: Does, which: Which) => void,
  ) {}

  start(): void {
    this.sessions.subscribe(() => this.look());
  }

  private look(): void {
    const { sessions } = this;
    if (!sessions.overview) return;
    const { fresh, over } = this.watch.look(
      sessions.workloads,
      (service) => sessions.now(service),
      {
        ended: (wanted) => (sessions.askedOf(wanted)?.stage ?? "failed") !== "failed",
        left: (wanted) => sessions.wasLeft(wanted),
        atHand: ({ opened_by: by }) =>
          !!by?.kernel_id && by.kernel_id === this.here()?.kernelId && this.working(),
      },
    );
    for (const key of over) this.takeBack(key);
    for (const notice of fresh) this.show(notice);
    this.plan();
  }

  /** The next thing that becomes true by time alone. */
  private plan(): void {
    clearTimeout(this.timer);
    const { sessions } = this;
    const waits = sessions.open.map((workload) => {
      const speed = Math.max(1, workload.snapshot.service.speed);
      return Watch.nextMoment(workload, sessions.now(workload.service)) / speed;
    });
    const next = Math.min(...waits);
    // longer than a day does not fit a timer, and news come before that
    if (next < 86_400) this.timer = setTimeout(() => this.look(), next * 1000 + 50);
  }

  private show(notice: Notice): void {
    if (!this.settings.on(notice.setting)) return;
    this.takeBack(notice.key);
    const workload = this.sessions.find(notice.which);
    let { does } = notice;
    const path = workload?.opened_by?.notebook;
    // to where the reader is already there is no need to go
    if (does === "notebook" && (!path || path === this.here()?.path)) does = "show";
    const batch = workload?.snapshot.mode === "batch";
    const id = Notification.emit(notice.text, notice.type, {
      autoClose: notice.passing ? false : AUTO_CLOSE_MS,
      actions: [
        {
          label: does === "close" && batch ? "Close batch" : LABELS[does],
          displayType: does === "close" ? "warn" : "default",
          callback: () => this.act(does, workload ? which(workload) : notice.which),
        },
      ],
    });
    this.shown.set(notice.key, id);
  }

  private takeBack(key: string): void {
    const id = this.shown.get(key);
    if (id === undefined) return;
    this.shown.delete(key);
    Notification.dismiss(id);
  }
}

// Shows the notices of ChangeDetector as JupyterLab notifications, each with an action, and dismisses outdated ones.
import { sentences, t } from "#shared/translation";
import { Notification } from "@jupyterlab/apputils";
import { Settled } from "#shared/settled";
import { which, type Workload, type WorkloadRef } from "#shared/serverTypes";
import { ChangeDetector, type Does, type Notice } from "./changes";
import type { NotebookContext } from "../state/currentNotebook";
import type { Sessions } from "../state/overviewStore";
import type { Settings } from "../state/settings";

// The rule for colours, the same in panel, side panel, dialogs and here: red is what loses something (Cancel, which loses
// queued jobs, and Delete); Close is neutral, for what is queued still runs.
const LABELS: Record<Does, string> = sentences({
  close: "Close session",
  show: "Show sessions",
  notebook: "Open notebook",
});
/** Long enough to be read, and it stays in the list. */
const AUTO_CLOSE_MS = 12_000;

export class Notifier {
  private readonly watch = new ChangeDetector();
  private readonly shown = new Map<string, string>();
  private readonly settled = new Settled();
  private moves = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly sessions: Sessions,
    private readonly settings: Settings,
    private readonly here: () => NotebookContext | null,
    /** Whether the user has just worked in the current notebook. */
    private readonly working: () => boolean,
    private readonly act: (does: Does, which: WorkloadRef) => void,
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
        isHere: (workload) => this.isHere(workload),
        isInUse: (workload) => this.isHere(workload) && this.working(),
      },
    );
    for (const key of over) this.takeBack(key);
    for (const notice of fresh) this.show(notice);
    this.plan();
  }

  private isHere({ opened_by: by }: Workload): boolean {
    return !!by?.kernel_id && by.kernel_id === this.here()?.kernelId;
  }

  /** The next thing that becomes true by time alone. */
  private plan(): void {
    clearTimeout(this.timer);
    const { sessions } = this;
    const waits = sessions.open.map((workload) => {
      const speed = Math.max(1, workload.snapshot.service.speed);
      return ChangeDetector.nextMoment(workload, sessions.now(workload.service)) / speed;
    });
    const next = Math.min(...waits);
    // longer than a day does not fit a timer, and news come before that
    if (next < 86_400) this.timer = setTimeout(() => this.look(), next * 1000 + 50);
  }

  private show(notice: Notice): void {
    if (!this.settings.on(notice.setting)) return;
    const keys = notice.parts ?? [notice.key];
    for (const key of keys) this.takeBack(key);
    const workload = this.sessions.find(notice.which);
    let { does } = notice;
    const path = workload?.opened_by?.notebook;
    // to where the reader is already there is no need to go
    if (does === "notebook" && (!path || path === this.here()?.path)) does = "show";
    const batch = workload?.snapshot.mode === "batch";
    const settled = this.moved();
    const id = Notification.emit(notice.text, notice.type, {
      autoClose: notice.passing ? false : AUTO_CLOSE_MS,
      actions: [
        {
          label: does === "close" && batch ? t`Close batch` : LABELS[does],
          displayType: "default",
          callback: (event) => {
            // prevented, it stays
            if (settled.takes(event)) this.act(does, workload ? which(workload) : notice.which);
            else event.preventDefault();
          },
        },
      ],
    });
    for (const key of keys) this.shown.set(key, id);
  }

  /** Each one that comes or goes moves the others: none of them takes a click right then. */
  private moved(): Settled {
    this.settled.see(String((this.moves += 1)), null, performance.now());
    return this.settled;
  }

  private takeBack(key: string): void {
    const id = this.shown.get(key);
    if (id === undefined) return;
    this.shown.delete(key);
    // one that stands for several goes with the last of them
    if ([...this.shown.values()].includes(id)) return;
    this.moved();
    Notification.dismiss(id);
  }
}

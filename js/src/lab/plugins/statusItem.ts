// The status bar's item: the current notebook's session in one line. Plain DOM, for it is there from the start.
import { t } from "#shared/translation";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import { noun } from "#shared/consequences";
import { plural } from "#shared/formatting";
import type { Workload } from "#shared/serverTypes";
import { boundHere, type NotebookContext } from "../state/currentNotebook";
import type { Sessions } from "../state/overviewStore";
import { addStyle } from "../ui/style";
import css from "./status.css";
import { everyTick } from "#shared/pageClock";
import { burn } from "#shared/totals";
import { burnWords } from "#shared/messages/totals";
import { isOrphan, statusLine, tone, worstTone } from "#shared/messages/labels";

export interface StatusServices {
  sessions: Sessions;
  /** The current notebook. */
  place(): NotebookContext | null;
  wanted(): boolean;
  /** Open the popover of a workload at the button, or the side panel when it is none. */
  open(anchor: HTMLButtonElement, workload: Workload | null): void;
}

export class StatusItem extends Widget {
  readonly activeStateChanged = new Signal<this, void>(this);
  private readonly button = document.createElement("button");
  private readonly dot = document.createElement("span");
  private readonly line = document.createElement("span");
  private workload: Workload | null = null;
  private shown = "";
  private active = false;
  private stopTicking: (() => void) | null = null;

  constructor(private readonly services: StatusServices) {
    super();
    addStyle("status", css);
    this.addClass("qs-lab-status");
    this.dot.className = "qs-lab-dot";
    this.dot.setAttribute("aria-hidden", "true");
    this.button.type = "button";
    this.button.setAttribute("aria-haspopup", "dialog");
    this.button.setAttribute("aria-expanded", "false");
    this.button.append(this.dot, this.line);
    this.button.onclick = () => this.services.open(this.button, this.workload);
    this.node.append(this.button);
    this.node.hidden = true;
    services.sessions.subscribe(() => this.refresh());
  }

  get isActive(): boolean {
    return this.active;
  }

  /** Look again: where the reader is, or what is known, has changed. */
  refresh(): void {
    const { sessions } = this.services;
    this.workload = boundHere(sessions.workloads, this.services.place());
    const text = this.services.wanted() ? this.text() : "";
    const active = text !== "";
    this.write(text);
    if (active !== this.active) {
      this.active = active;
      this.node.hidden = !active;
      this.activeStateChanged.emit();
    }
    const ticks = active;
    if (ticks) this.stopTicking ??= everyTick(() => this.write(this.text()));
    else {
      this.stopTicking?.();
      this.stopTicking = null;
    }
  }

  private text(): string {
    const { sessions } = this.services;
    const late = sessions.failure ? t` · server not answering` : "";
    if (this.workload) {
      const { service } = this.workload;
      const silent = sessions.service(service)?.problem ? t` · service not answering` : late;
      return statusLine(this.workload, sessions.now(service)) + silent;
    }
    const count = sessions.open.length;
    if (!count) return "";
    const burns = burnWords(burn(sessions.open, (service) => sessions.now(service)));
    return [plural(count, "open session"), burns].filter(Boolean).join(" · ") + late;
  }

  private tone(): string {
    const { sessions } = this.services;
    if (this.workload) return tone(this.workload, sessions.now(this.workload.service));
    // sessions of others that work are nothing to look at
    const left = sessions.open.filter(isOrphan);
    return worstTone(left.map((each) => tone(each, sessions.now(each.service))));
  }

  private write(text: string): void {
    this.dot.dataset["tone"] = this.tone();
    if (text === this.shown) return;
    this.shown = text;
    this.line.textContent = text;
    const what = this.workload ? t`Quantum ${noun(this.workload.snapshot)}` : t`Quantum sessions`;
    this.button.title = this.workload
      ? t`${what}: click for its countdowns and to close it`
      : t`${what}: click to see them`;
    // the countdowns are not for reading out at every second: the name says what stays
    this.button.setAttribute("aria-label", `${what}: ${text.split(" · ").slice(0, 2).join(", ")}`);
  }
}

// The sessions known on this page, the time by each service's clock, and the requests made here.
import { t } from "#shared/translation";
import { placeholders } from "#shared/placeholders";
import { ServiceClock } from "#shared/clock";
import { pageClock } from "#shared/pageClock";
import { totals, type Totals } from "#shared/totals";
import { isOpen, keyOf, which } from "#shared/serverTypes";
import type {
  EndAction,
  Overview,
  Service,
  Snapshot,
  WorkloadRef,
  Workload,
} from "#shared/serverTypes";
import type { News } from "./overviewFeed";

/** Something asked from this page: what, how far it is, and what the service said to it. */
export interface Asked {
  action: EndAction;
  stage: "asked" | "answered" | "failed";
  message: string;
}

export class Sessions {
  overview: Overview | null = null;
  failure: News["failure"] = null;
  /** When the overview came, by this machine's clock, milliseconds; 0 before any. */
  arrivedAt = 0;
  private readonly clocks = new Map<string, ServiceClock>();
  private readonly asked = new Map<string, Asked>();
  private readonly left = new Set<string>();
  private readonly listeners = new Set<() => void>();

  accept({ overview, failure, at }: News): void {
    this.failure = failure;
    if (overview && overview.schema !== 1) {
      const message = t`The Jupyter server has another version of qsession-widgets than this page: load the page again.`;
      this.failure = { kind: "down", message };
    } else if (overview && (!failure || !this.overview)) {
      this.overview = { ...overview, workloads: overview.workloads.map(complete) };
      this.arrivedAt = at;
      this.setClocks(overview, at);
    }
    this.changed();
  }

  /** The instant to draw, by the service's clock; carried on while nothing comes. */
  now(service: string): number {
    const at = pageClock().instant();
    return this.clocks.get(service)?.now(at) ?? at / 1000;
  }

  get workloads(): readonly Workload[] {
    return this.overview?.workloads ?? [];
  }

  get open(): Workload[] {
    return this.workloads.filter(isOpen);
  }

  /** What all sessions cost, at this moment; null before anything is known. */
  totals(): Totals | null {
    if (!this.overview) return null;
    return totals(this.overview, (service) => this.now(service), pageClock().instant() / 1000);
  }

  find(wanted: WorkloadRef | null): Workload | undefined {
    if (!wanted) return undefined;
    return this.workloads.find((workload) => keyOf(which(workload)) === keyOf(wanted));
  }

  /** The workload of this id; an open one, where several services know it. */
  named(id: string): Workload | undefined {
    const named = this.workloads.filter(({ snapshot }) => snapshot.session_id === id);
    return named.find(isOpen) ?? named[0];
  }

  service(key: string): Service | undefined {
    return this.overview?.services.find((service) => service.key === key);
  }

  askedOf(wanted: WorkloadRef): Asked | undefined {
    return this.asked.get(keyOf(wanted));
  }

  remember(wanted: WorkloadRef, asked: Asked): void {
    this.asked.set(keyOf(wanted), asked);
    this.changed();
  }

  /** The reader chose to leave it open, without a kernel. */
  leave(wanted: WorkloadRef): void {
    this.left.add(keyOf(wanted));
  }

  wasLeft(wanted: WorkloadRef): boolean {
    return this.left.has(keyOf(wanted));
  }

  /** An answer brought news of one workload before the next overview does. */
  update(service: string, snapshot: Snapshot): void {
    if (!this.overview) return;
    const workloads = this.overview.workloads.map((workload) =>
      workload.service === service && workload.snapshot.session_id === snapshot.session_id
        ? complete({ ...workload, snapshot: { ...workload.snapshot, ...snapshot } })
        : workload,
    );
    this.overview = { ...this.overview, workloads };
    this.changed();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  private setClocks(overview: Overview, at: number): void {
    for (const { key, clock_offset, info } of overview.services) {
      const age = Math.max(0, Date.now() - at) / 1000;
      const service = overview.now + clock_offset + age * info.speed;
      const clock = this.clocks.get(key) ?? new ServiceClock(service, info.speed);
      clock.anchor(service, info.speed);
      this.clocks.set(key, clock);
    }
  }
}

/** Only the newest jobs come along: put as many pending ones beside them as were counted, so that the sums are right. */
export function complete(workload: Workload): Workload {
  const { snapshot } = workload;
  const { counts, jobs } = snapshot;
  if (!counts) return workload;
  const missing = placeholders(
    counts,
    jobs[0]?.created ?? snapshot.answered_at,
    (status) => jobs.filter((job) => job.status === status && !job.stray).length,
  );
  if (missing.length === 0) return workload;
  return { ...workload, snapshot: { ...snapshot, jobs: [...missing, ...jobs] } };
}

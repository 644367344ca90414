// The service's clock in the browser: anchored by the kernel's messages, carried on by Date.now().
// Neither this machine's clock nor the kernel host's has to be right, only to run.

export class ServiceClock {
  #anchorService: number;
  #anchorLocal: number;
  #live = false;

  /** `estimate` is what the service's clock says now as far as can be told before any live message. */
  constructor(
    estimate: number,
    private speed: number,
    private readonly localNow: () => number = Date.now,
  ) {
    this.#anchorLocal = localNow();
    this.#anchorService = estimate;
  }

  /** What the service's clock says at a time by this machine's clock, milliseconds; now without one. */
  now(at = this.localNow()): number {
    return this.#anchorService + ((at - this.#anchorLocal) / 1000) * this.speed;
  }

  /**
   * A message sent at `service` arrived just now. A message that was held up on its way would turn the clock back:
   * one that is a little behind what is already known is not believed.
   */
  anchor(service: number, speed: number): void {
    const behind = (this.now() - service) / Math.max(1, this.speed);
    this.speed = speed;
    if (this.#live && behind > 0 && behind < 20) return;
    this.#live = true;
    this.#anchorService = service;
    this.#anchorLocal = this.localNow();
  }

  get secondsPerSecond(): number {
    return this.speed;
  }
}

// Guards against clicks on a control that has just changed its meaning or its place.
export const SETTLE_MS = 500;

/** Pixels that a control may move and still be the one that was aimed at. */
const NEAR = 6;

export interface Position {
  x: number;
  y: number;
}

/** Since when a control is what it is and where it is. Times are those of an event's timeStamp, in milliseconds. */
export class Settled {
  #meaning: string | null = null;
  #place: Position | null = null;
  #changed = -Infinity;
  #moved = -Infinity;
  #clicks = 0;

  /** Note what the control does and where it is, as it has just been drawn; whether either is new. */
  see(meaning: string, place: Position | null, at: number): boolean {
    const changed = meaning !== this.#meaning;
    const was = this.#place;
    const moved = !!was && !!place && Math.hypot(place.x - was.x, place.y - was.y) > NEAR;
    if (changed) this.#changed = at;
    if (moved) this.#moved = at;
    this.#meaning = meaning;
    if (place) this.#place = place;
    return changed || moved;
  }

  /** Whether the control changed or moved within the last half second. */
  settling(meaning: string, at: number): boolean {
    return meaning !== this.#meaning || at - Math.max(this.#changed, this.#moved) < SETTLE_MS;
  }

  /** Whether a click was meant for what the control is now; `detail` is 0 for a key, 2 for a double click. */
  takes({ timeStamp, detail }: Pick<MouseEvent, "timeStamp" | "detail">): boolean {
    const continued = detail > 1 && this.#clicks !== detail - 1;
    this.#clicks = detail;
    if (continued || timeStamp - this.#changed < SETTLE_MS) return false;
    // the focus goes with a control that moves, the pointer does not
    return detail === 0 || timeStamp - this.#moved >= SETTLE_MS;
  }
}

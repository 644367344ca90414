// Bins: spans of time become bars, one for each while there is room, merged by the pixel otherwise.

export interface Block {
  begin: number;
  end: number;
  /** Higher is drawn where several share a pixel: nobody may miss a failed job among thousands. */
  weight: number;
  /** Index of what it stands for, to look up its details. */
  index: number;
}

export interface Bar {
  begin: number;
  end: number;
  weight: number;
  /** The block it shows when it shows only one. */
  index: number | null;
  /** How many blocks it stands for. */
  count: number;
}

/** Bars never number more than this, nor than the pixels there are. */
export const SINGLE_BARS = 300;
/** Weights are whole numbers from 1 to this. */
const HEAVIEST = 6;

export function toBars(blocks: Block[], from: number, to: number, width: number): Bar[] {
  const seen = blocks.filter((block) => block.end >= from && block.begin <= to);
  if (seen.length > SINGLE_BARS) {
    const columns = new Columns(from, to, width);
    for (const block of seen) columns.put(block, 1);
    return columns.bars();
  }
  const least = (2 * (to - from)) / Math.max(1, width);
  return seen.map(({ begin, end, weight, index }) => {
    return { begin, end: Math.max(end, begin + least), weight, index, count: 1 };
  });
}

/** Blocks by the pixel: what each shows, kept up to date as blocks come and go. */
export class Columns {
  /** Blocks in sight. */
  seen = 0;
  /** Counts up when a pixel shows something else. */
  version = 0;
  readonly #columns: number;
  readonly #pixel: number;
  /** Blocks over each pixel, by weight. */
  readonly #over: Int32Array;
  readonly #heaviest: Int8Array;
  /** Blocks that begin in each pixel, and the sum of their indices: the index where it is one. */
  readonly #starts: Int32Array;
  readonly #sums: Float64Array;

  constructor(
    private readonly from: number,
    private readonly to: number,
    width: number,
  ) {
    this.#columns = Math.max(1, Math.floor(width));
    this.#pixel = (to - from) / Math.max(1, width);
    this.#over = new Int32Array(this.#columns * (HEAVIEST + 1));
    this.#heaviest = new Int8Array(this.#columns);
    this.#starts = new Int32Array(this.#columns);
    this.#sums = new Float64Array(this.#columns);
  }

  /** Put a block in, or take one out that was put in before. */
  put({ begin, end, weight, index }: Block, sign: 1 | -1): void {
    if (end < this.from || begin > this.to) return;
    const first = this.#column(begin);
    const last = Math.max(first, this.#column(end - 1e-9));
    this.seen += sign;
    this.#starts[first]! += sign;
    this.#sums[first]! += sign * index;
    for (let i = first; i <= last; i++) {
      this.#over[i * (HEAVIEST + 1) + weight]! += sign;
      const before = this.#heaviest[i]!;
      let now = sign > 0 ? Math.max(before, weight) : before;
      while (now > 0 && this.#over[i * (HEAVIEST + 1) + now] === 0) now--;
      if (now === before) continue;
      this.#heaviest[i] = now;
      this.version++;
    }
  }

  bars(): Bar[] {
    const bars: Bar[] = [];
    for (let i = 0; i < this.#columns; i++) {
      const weight = this.#heaviest[i]!;
      if (weight === 0) continue;
      const begin = this.from + i * this.#pixel;
      const end = begin + this.#pixel;
      const count = this.#starts[i]!;
      let bar = bars[bars.length - 1];
      if (bar && bar.weight === weight && Math.abs(bar.end - begin) < this.#pixel / 2) {
        bar.end = end;
        bar.count += count;
      } else {
        bar = { begin, end, weight, index: null, count };
        bars.push(bar);
      }
      if (bar.count === 1 && count === 1) bar.index = this.#sums[i]!;
      else if (bar.count > 1) bar.index = null;
    }
    return bars;
  }

  #column(time: number): number {
    return Math.min(this.#columns - 1, Math.max(0, Math.floor((time - this.from) / this.#pixel)));
  }
}

// What a pixel can show: spans of time become bars, one for each while there is room, merged by the pixel when not.

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

export function toBars(blocks: Block[], from: number, to: number, width: number): Bar[] {
  const seen = blocks.filter((block) => block.end >= from && block.begin <= to);
  const pixel = (to - from) / Math.max(1, width);
  const least = 2 * pixel;
  if (seen.length <= SINGLE_BARS) {
    return seen.map(({ begin, end, weight, index }) => {
      return { begin, end: Math.max(end, begin + least), weight, index, count: 1 };
    });
  }
  return mergeByPixel(seen, from, pixel, Math.max(1, Math.floor(width)));
}

function mergeByPixel(blocks: Block[], from: number, pixel: number, columns: number): Bar[] {
  const heaviest = new Int16Array(columns);
  const starts = new Int32Array(columns);
  const only = new Int32Array(columns).fill(-1);
  const column = (time: number) =>
    Math.min(columns - 1, Math.max(0, Math.floor((time - from) / pixel)));
  for (const block of blocks) {
    const first = column(block.begin);
    const last = Math.max(first, column(block.end - 1e-9));
    starts[first]! += 1;
    only[first] = block.index;
    for (let i = first; i <= last; i++) heaviest[i] = Math.max(heaviest[i]!, block.weight);
  }
  const bars: Bar[] = [];
  for (let i = 0; i < columns; i++) {
    const weight = heaviest[i]!;
    if (weight === 0) continue;
    const last = bars[bars.length - 1];
    const begin = from + i * pixel;
    const count = starts[i]!;
    if (last && last.weight === weight && Math.abs(last.end - begin) < pixel / 2) {
      last.end = begin + pixel;
      last.count += count;
    } else {
      bars.push({ begin, end: begin + pixel, weight, index: null, count });
    }
    const bar = bars[bars.length - 1]!;
    bar.index = bar.count === 1 && count === 1 ? only[i]! : bar.count > 1 ? null : bar.index;
  }
  return bars;
}

import type { Usage } from "#shared/countdowns";
import { formatDuration, formatMoney, formatPrice } from "#shared/format";
import type { SessionSnapshot } from "#shared/snapshot.gen";

interface Props {
  snapshot: SessionSnapshot;
  usage: Usage;
}

/** Seconds used and what they cost: an estimate until the service says final. */
export function UsageFigure({ snapshot, usage }: Props) {
  return (
    <div class="qs-usage-line">
      <span class="qs-figure">{formatDuration(usage.total)}</span>
      <span class="qs-cost">{costWords(snapshot, usage)}</span>
    </div>
  );
}

export function costWords(snapshot: SessionSnapshot, usage: Usage): string {
  const { price_per_second: price, charged } = snapshot.service;
  if (usage.cost === null || price === null) return usage.final ? "final" : "estimate";
  const money = formatMoney(usage.cost);
  if (!charged) return `would be ≈ ${money}`;
  return usage.final
    ? `${money} final, at ${formatPrice(price)}`
    : `≈ ${money} at ${formatPrice(price)}`;
}

/** The usage split into QPU, classical and idle time; the words below say the same as the bar. */
export function UsageBar({ snapshot, usage, split }: Props & { split: boolean }) {
  const parts = [
    { name: "QPU", kind: "done", seconds: usage.qpu },
    { name: "classical", kind: "classical", seconds: usage.classical },
    { name: "idle", kind: "idle", seconds: usage.idle },
  ];
  const words =
    snapshot.mode === "batch"
      ? "QPU time only; waiting is free in a batch"
      : !split
        ? "what it went into is told by the jobs, not here yet"
        : parts.map((part) => `${part.name} ${formatDuration(part.seconds)}`).join(" · ");
  return (
    <>
      <div class="qs-split" aria-hidden="true">
        {parts.map(
          (part) =>
            split &&
            part.seconds > 0 && (
              <span
                key={part.kind}
                class={`qs-part-${part.kind}`}
                style={{ flexGrow: part.seconds / usage.total }}
              />
            ),
        )}
      </div>
      <div class="qs-note">{words}</div>
    </>
  );
}

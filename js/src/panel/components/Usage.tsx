import { t } from "#shared/translation";
import { Fragment } from "preact";
import { deferred, quotaLeft, shownParts, type Usage } from "#shared/metrics";
import {
  formatDuration,
  formatMoney,
  formatParts,
  formatShares,
  unbroken,
} from "#shared/formatting";
import type { SessionSnapshot } from "#shared/snapshot.gen";
import { Price } from "./Price";
import type { SessionStore } from "../state/store";

interface Props {
  snapshot: SessionSnapshot;
  usage: Usage;
  now: number;
  /** Whether all jobs are known. */
  split: boolean;
}

/** On the emulator it is the time of a device, which stays an estimate. */
export function usageLabel({ device_time: device, state }: SessionSnapshot, usage: Usage): string {
  if (device) return t`Usage, estimated for a device`;
  if (state === "closed") return usage.final ? t`Usage, final` : t`Usage, estimate`;
  return usage.cost === null ? t`Usage, estimate` : t`Usage`;
}

/** Seconds used and what they cost: an estimate until the service says final. */
export function UsageFigure({ store, usage }: { store: SessionStore; usage: Usage }) {
  return (
    <div class="qs-usage-line">
      <span class="qs-figure">
        {usage.at_most && t`at most `}
        {!usage.told && usage.total === 0 ? t`not told` : formatDuration(usage.total)}
      </span>
      <span class="qs-cost">
        {costWords(store, usage)} <Price store={store} />
      </span>
    </div>
  );
}

function costWords({ snapshot, ownPrice }: SessionStore, usage: Usage): string {
  if (usage.cost === null) {
    // usage of the Open Plan is free, and there is little of it
    if (snapshot.service.plan !== "open") return "";
    const left = quotaLeft(snapshot, usage);
    if (left === null) return t`Open Plan: free; what is left is not known`;
    const about = snapshot.device_time ? "≈ " : "";
    return t`Open Plan: ${about}${formatDuration(left)} left`;
  }
  const money = formatMoney(usage.cost);
  if (!snapshot.service.charged) return t`would be ≈ ${money}`;
  // the service's seconds are final; what they cost at the reader's own price is not its word
  return usage.final && ownPrice === null ? money : `≈ ${money}`;
}

/** The usage split into QPU, classical and idle time; the words below say the same as the bar. */
export function UsageBar({ snapshot, usage, now, split }: Props) {
  const parts = [
    { name: "QPU", kind: "done", seconds: usage.qpu },
    { name: t`classical`, kind: "classical", seconds: usage.classical },
    { name: t`idle`, kind: "idle", seconds: usage.idle },
  ];
  const shown = shownParts(snapshot, usage, now);
  const exact = [usage.qpu, usage.classical, usage.idle] as const;
  const shares =
    usage.cost === null || !usage.told
      ? null
      : formatShares(usage.final ? exact : shown, usage.cost);
  const texts = formatParts(shown, usage.total).map((text, at) =>
    shares ? `${text} (${shares[at]!})` : text,
  );
  // what ran is QPU and classical time, and nobody knows how much of either
  if (!usage.told) texts[0] = t`not told, with`;
  const words = deferred(snapshot)
    ? t`nothing was opened`
    : snapshot.mode !== "dedicated"
      ? t`QPU time only; waiting is free in ${snapshot.mode === "batch" ? t`a batch` : t`job mode`}`
      : !split
        ? t`breakdown appears once the jobs are loaded`
        : null;
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
      <div class="qs-note">
        {words === null
          ? parts.map((part, at) => (
              <Fragment key={part.kind}>
                {at > 0 && " · "}
                <span class="qs-whole">{unbroken(`${part.name}\u00a0${texts[at]!}`)}</span>
              </Fragment>
            ))
          : unbroken(words)}
      </div>
    </>
  );
}

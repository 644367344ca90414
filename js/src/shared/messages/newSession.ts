// Words of the form for a new session.
import { t } from "../translation";
import { formatAge, formatMoney, plural } from "../formatting";
import type { Device } from "../serverTypes";
import type { ServiceInfo } from "../snapshot.gen";
import { priceAndSource } from "./labels";

export const cellWritten = (notebook: string) =>
  t`The cell is in ${notebook}, below the one that was active: look at it, then run it.`;

/** What is known of a device: `156 qubits`, `12 jobs wait`. */
export function deviceFacts({ qubits, queue, works }: Device): string[] {
  const waits = queue === null ? "" : plural(queue, "job waits", "jobs wait");
  const size = qubits === null ? "" : plural(qubits, "qubit");
  return [size, works ? waits : t`takes no jobs now`].filter(Boolean);
}

export function deviceWords(device: Device): string {
  return [device.name, ...deviceFacts(device)].join(" · ");
}

export function calibrationWords(at: number, now: number): string {
  return t`calibrated ${formatAge(now - at)} ago`;
}

/** What running the cell opens, and what that costs. */
export function openWords(info: ServiceInfo | undefined): string {
  if (info?.joined) return t`Runs on the emulator ${info.joined}, without charge.`;
  if (!info || info.kind === "local") return t`Runs on this machine, without charge.`;
  if (info.plan === "open") return t`The Open Plan has no sessions: the cell runs in job mode.`;
  const { price_per_second: price } = info;
  if (price === null)
    return t`When it is run, the cell opens a session that is billed while it is active.`;
  return t`When it is run, the cell opens a session that costs ${formatMoney(60 * price)} a minute while it is active (${priceAndSource(info)}).`;
}

// The order of the side panel: this notebook's sessions, what is active elsewhere, what waits. Pure.
import { t } from "#shared/translation";
import { inOrder } from "#shared/messages/labels";
import { isOpen, keyOf, which, type Workload } from "#shared/serverTypes";
import { belongsHere, type NotebookContext } from "./currentNotebook";

export type Group = "here" | "active" | "waiting";

export const GROUPS: Group[] = ["here", "active", "waiting"];

export function groupOf(workload: Workload, place: NotebookContext | null): Group {
  if (place && belongsHere(workload, place)) return "here";
  return workload.snapshot.state === "active" ? "active" : "waiting";
}

/** A heading for those of a group that are listed. */
export function headingOf(group: Group, listed: readonly Workload[], alone: boolean): string {
  if (group === "here") return t`This notebook`;
  if (group === "waiting") return t`Waiting, free`;
  const charged = listed.some(({ snapshot }) => snapshot.service.charged);
  return `${charged ? t`Billing` : t`Active`}${alone ? "" : t` elsewhere`}`;
}

export interface Placed {
  workload: Workload;
  group: Group;
}

/**
 * The open sessions in their order. While something is asked (`held`) each stays in the group and in the place it had
 * among `before`: a row must not move from under the pointer.
 */
export function placed(
  workloads: readonly Workload[],
  place: NotebookContext | null,
  held: readonly Workload[],
  before: readonly Placed[],
): Placed[] {
  const asked = new Map(held.map((workload) => [keyOf(which(workload)), workload]));
  const open = inOrder(workloads.filter((each) => isOpen(each) || asked.has(keyOf(which(each)))));
  for (const workload of open) asked.delete(keyOf(which(workload)));
  const was = new Map(before.map((each, at) => [keyOf(which(each.workload)), { ...each, at }]));
  const listed = [...open, ...asked.values()].map((workload, order) => {
    const known = held.length > 0 ? was.get(keyOf(which(workload))) : undefined;
    const group = known?.group ?? groupOf(workload, place);
    return { workload, group, order: known?.at ?? before.length + order };
  });
  const rank = ({ group }: Placed) => GROUPS.indexOf(group);
  listed.sort((a, b) => rank(a) - rank(b) || a.order - b.order);
  return listed.map(({ workload, group }) => ({ workload, group }));
}

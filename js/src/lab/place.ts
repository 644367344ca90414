// Where the reader is: the current notebook and its kernel, and which workload belongs there. Pure but for the types.
import { isOpen, type Workload } from "./contract";

export interface Place {
  /** Path for the contents API. */
  path: string;
  kernelId: string;
}

/** A lab with a drive in front of the path (collaboration) means the same file. */
export function samePath(a: string, b: string): boolean {
  const plain = (path: string) => path.replace(/^[A-Za-z]+:/, "").replace(/^\/+/, "");
  return plain(a) !== "" && plain(a) === plain(b);
}

/** Whether a workload was opened here: by this kernel, or by one of this notebook that is gone. */
export function belongsHere({ opened_by: by }: Workload, place: Place): boolean {
  if (!by) return false;
  if (by.kernel_id && by.kernel_id === place.kernelId) return true;
  // a notebook may be renamed and a kernel may not: the path only counts where the kernel says nothing
  const known = by.kernel_id && by.kernel !== "gone";
  return !known && samePath(by.notebook, place.path);
}

/** What the status bar speaks of: the bound session of this kernel, or one that this notebook has left open. */
export function boundHere(workloads: readonly Workload[], place: Place | null): Workload | null {
  if (!place) return null;
  const here = workloads.filter((workload) => isOpen(workload) && belongsHere(workload, place));
  const rank = ({ opened_by: by }: Workload) =>
    by?.kernel_id === place.kernelId ? (by.bound ? 0 : 1) : 2;
  const newest = (workload: Workload) => workload.snapshot.opened_at ?? 0;
  return here.sort((a, b) => rank(a) - rank(b) || newest(b) - newest(a))[0] ?? null;
}

/** Open sessions that would be left behind when these kernels end. */
export function leftBy(workloads: readonly Workload[], kernelIds: readonly string[]): Workload[] {
  return workloads.filter(
    (workload) =>
      isOpen(workload) &&
      workload.snapshot.accepting_jobs &&
      // what is left behind already cannot be left once more
      !["gone", "elsewhere", undefined].includes(workload.opened_by?.kernel) &&
      kernelIds.includes(workload.opened_by?.kernel_id ?? ""),
  );
}

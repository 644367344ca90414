// The current notebook with its kernel, and the workload that belongs to it. Pure but for the types.
import { isOpen, type OpenedBy, type Workload } from "#shared/serverTypes";

export interface NotebookContext {
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
export function belongsHere(workload: Workload, place: NotebookContext): boolean {
  return holders(workload).some((by) => isHere(by, place));
}

/** The kernels that have a workload, its first owner first. */
export function holders({ opened_by: by, also }: Workload): OpenedBy[] {
  return by ? [by, ...also] : [];
}

function isHere(by: OpenedBy, place: NotebookContext): boolean {
  if (by.kernel_id && by.kernel_id === place.kernelId) return true;
  // a notebook may be renamed and a kernel may not: the path only counts where the kernel says nothing
  const known = by.kernel_id && by.kernel !== "gone";
  return !known && samePath(by.notebook, place.path);
}

/** The workload of the status bar: the bound session of this kernel, or one that this notebook has left open. */
export function boundHere(
  workloads: readonly Workload[],
  place: NotebookContext | null,
): Workload | null {
  if (!place) return null;
  const here = workloads.filter((workload) => isOpen(workload) && belongsHere(workload, place));
  const rank = (workload: Workload) => {
    const by = holders(workload).find(({ kernel_id: id }) => id === place.kernelId);
    return by ? (by.bound ? 0 : 1) : 2;
  };
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
      holders(workload).some(
        (by) => !["gone", "elsewhere"].includes(by.kernel) && kernelIds.includes(by.kernel_id),
      ),
  );
}

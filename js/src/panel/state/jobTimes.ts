// A job's times and status as the list and the timeline give them.
import { sentences, t } from "#shared/translation";
import { isFinal } from "#shared/metrics";
import { formatClock, formatCount, formatDuration, formatValue, plural } from "#shared/formatting";
import { programWord } from "#shared/messages/labels";
import type { JobRecord, JobStatus } from "#shared/snapshot.gen";

export const STATUS_WORDS: Record<JobStatus, string> = sentences({
  queued: "Queued",
  running: "Running",
  done: "Done",
  cancelled: "Cancelled",
  failed: "Failed",
});

export function queuedSeconds(job: JobRecord, now: number): number {
  return (job.started ?? job.finished ?? now) - job.created;
}

export function ranSeconds(job: JobRecord, now: number): number | null {
  if (job.started === null) return null;
  if (job.finished !== null) return job.finished - job.started;
  return isFinal(job) ? null : now - job.started;
}

/** What is asked of the program: `2 pubs × 8,192 shots`, `1 pub · σ 0.02`; empty where nothing is known. */
export function asked({ pubs, shots, precision }: JobRecord): string {
  const each =
    shots !== null
      ? t`${formatCount(shots)} shots`
      : precision !== null
        ? `σ ${formatValue(precision)}`
        : "";
  if (pubs === null) return each;
  return [plural(pubs, "pub"), each].filter(Boolean).join(shots === null ? " · " : " × ");
}

/** Program, PUBs and shots or precision: `estimator · 2 pubs · σ 0.02`. */
export function what(job: JobRecord): string {
  return [programWord(job), asked(job)].filter(Boolean).join(" · ");
}

/** The most frequent outcomes of a sampler: `00 512 · 11 488`. */
export function outcomesOf({ top_counts: top }: JobRecord): string {
  return top.map(([bits, count]) => `${bits} ${formatCount(count)}`).join(" · ");
}

/** The method behind a result that is not exact: `matrix product state`. */
export function methodWords(job: JobRecord): string {
  return (job.method ?? "approximated").replaceAll("_", " ");
}

/** `cell [5], line 14`. */
export function cellPlace({ cell, line }: JobRecord): string {
  return t`cell [${cell}]${line === null ? "" : t`, line ${line}`}`;
}

/** `ran 4.0 s`, or `simulated in 83 ms` of a job that ran for less than its QPU time: that is a device's. */
export function ranWords({ qpu_seconds: qpu }: JobRecord, ran: number): string {
  const length = formatDuration(ran);
  return qpu !== null && ran < qpu ? t`simulated in ${length}` : t`ran ${length}`;
}

/** Everything known of a job, a line each, the id first. */
export function details(job: JobRecord, now: number): string[] {
  const ran = ranSeconds(job, now);
  const lines = [
    job.id,
    `${what(job)} · ${STATUS_WORDS[job.status]}`,
    t`submitted ${formatClock(job.created, now)}, queued ${formatDuration(queuedSeconds(job, now))}`,
  ];
  if (job.label !== "") lines.splice(1, 0, job.label);
  if (ran !== null) lines.push(`${ranWords(job, ran)}${job.exact ? "" : t` (as seen by polling)`}`);
  if (job.qpu_seconds !== null) lines.push(t`QPU ${formatDuration(job.qpu_seconds)}`);
  if (job.top_counts.length > 0) lines.push(outcomesOf(job));
  if (job.cell !== null) lines.push(t`sent by ${cellPlace(job)}`);
  if (job.error !== null) lines.push(...wrapped(job.error));
  return lines;
}

/** A text in lines of so many letters, at most so many of them: what points at a job is no wider than a panel. */
export function wrapped(text: string, width = 70, most = 4): string[] {
  const lines: string[] = [""];
  // a word that is longer than a line is broken
  for (const word of text.split(/\s+/).flatMap((each) => each.match(/.{1,70}/gu) ?? [])) {
    const last = lines[lines.length - 1]!;
    if (last !== "" && last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.length > most ? [...lines.slice(0, most - 1), `${lines[most - 1]!} …`] : lines;
}

// What has ended: today's sessions, as the services list them, and the history that this machine keeps.
import { t } from "#shared/translation";
import { useEffect, useState } from "preact/hooks";
import { formatDay, plural } from "#shared/formatting";
import { pageClock } from "#shared/pageClock";
import { Question, useAsking } from "#shared/question";
import { keyOf, which, type HistoryRow } from "#shared/serverTypes";
import { inOrder, ownerLabel } from "#shared/messages/labels";
import { RequestFailed } from "#shared/messages/outcomes";
import { sumWords } from "#shared/messages/totals";
import { beginnings, endedAt, shareOf, sumOf } from "#shared/totals";
import type { Context } from "./context";
import { Button, QUESTION } from "./Parts";
import { ClosedRow } from "./Rows";

export function Ended({ context }: { context: Context }) {
  return (
    <>
      <Today context={context} />
      <History context={context} />
    </>
  );
}

function Today({ context: { sessions } }: { context: Context }) {
  const reader = pageClock().instant() / 1000;
  const { day } = beginnings(reader);
  const ended = inOrder(sessions.workloads).flatMap((workload) => {
    const now = sessions.now(workload.service);
    const at = endedAt(workload, now, reader);
    return at !== null && at >= day ? [{ workload, at, now }] : [];
  });
  if (ended.length === 0) return null;
  const cost = sumOf(ended.map(({ workload, now }) => shareOf(workload.snapshot, now)));
  return (
    <details class="qs-lab-closed" open={sessions.open.length === 0}>
      <summary>
        {plural(ended.length, "session")} {t`ended today ·`} {sumWords(cost)}
      </summary>
      <ul>
        {ended.map(({ workload, at }) => (
          <ClosedRow
            key={keyOf(which(workload))}
            snapshot={workload.snapshot}
            at={at}
            reader={reader}
            owner={ownerLabel(workload)}
          />
        ))}
      </ul>
    </details>
  );
}

/** The history, asked for when it is opened and when another session has ended. */
function History({ context: { actions, sessions } }: { context: Context }) {
  const [open, setOpen] = useState(false);
  const [rows, setRows] = useState<HistoryRow[] | null>(null);
  const [failed, setFailed] = useState("");
  const asking = useAsking();
  const { workloads, overview } = sessions;
  const over = workloads.filter(({ snapshot }) => snapshot.state === "closed");
  const version = `${over.map(({ snapshot }) => snapshot.usage_final)} ${overview?.spent?.length}`;
  const attempt = async (does: () => Promise<unknown>) => {
    try {
      await does();
      setRows(await actions.history());
      setFailed("");
    } catch (error) {
      setFailed(error instanceof RequestFailed ? error.message : String(error));
    }
  };
  useEffect(() => {
    if (open) void attempt(async () => undefined);
  }, [open, version]);
  const nothing = !rows?.length;
  return (
    <details
      class="qs-lab-closed"
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>{t`History`}</summary>
      {failed && (
        <p class="qs-lab-failed" role="status">
          {failed}
        </p>
      )}
      {rows && nothing && (
        <p class="qs-lab-note">{t`No session has ended within the last two weeks.`}</p>
      )}
      {rows && byDay(rows).map((day) => <Day key={day.title} {...day} />)}
      {rows && (
        <div class="qs-lab-do" tabIndex={-1}>
          {asking.asking ? (
            <Question
              styles={QUESTION}
              focus={asking.question}
              title={t`Delete the history?`}
              says={
                nothing
                  ? t`Nothing to delete: this machine keeps nothing any more.`
                  : t`Deletes what this machine keeps of ${plural(rows.length, "ended session")}: names, labels, values, usage and costs. The services keep their own records.`
              }
              meaning={String(rows.length)}
              refused={nothing ? t`nothing is kept` : null}
              confirm={t`Delete history`}
              keep={t`Keep history`}
              onConfirm={() => {
                asking.done();
                void attempt(() => actions.deleteHistory());
              }}
              onDismiss={asking.done}
            />
          ) : (
            !nothing && (
              <Button
                name={t`Delete history…`}
                says={t`asks first, then deletes what this machine keeps of ended sessions`}
                refused={null}
                danger
                buttonRef={asking.asker}
                onClick={asking.ask}
              />
            )
          )}
        </div>
      )}
    </details>
  );
}

interface DayProps {
  title: string;
  rows: HistoryRow[];
}

function Day({ title, rows }: DayProps) {
  const cost = sumOf(rows.map(({ at, snapshot }) => shareOf(snapshot, at)));
  return (
    <section aria-label={title}>
      <h4>
        <span>{title}</span> <span>{sumWords(cost)}</span>
      </h4>
      <ul>
        {rows.map(({ at, snapshot }) => (
          <ClosedRow
            key={snapshot.session_id}
            snapshot={snapshot}
            at={at}
            reader={at}
            owner={snapshot.notebook.split("/").pop() || t`opened elsewhere`}
          />
        ))}
      </ul>
    </section>
  );
}

function byDay(rows: readonly HistoryRow[]): DayProps[] {
  const days = new Map<string, HistoryRow[]>();
  for (const row of rows) {
    const title = formatDay(row.at);
    days.set(title, [...(days.get(title) ?? []), row]);
  }
  return [...days].map(([title, of]) => ({ title, rows: of }));
}

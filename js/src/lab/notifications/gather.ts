// One notification for several of a kind at once, as when a kernel with several sessions is killed. Pure.
import { t } from "#shared/translation";
import { plural } from "#shared/formatting";
import { keyOf } from "#shared/serverTypes";
import { failure, fit, several } from "#shared/messages/notifications";
import type { Notice } from "./changes";

/** The notices of one look, those of a kind as one; its `parts` are the keys of those that it stands for. */
export function gather(notices: readonly Notice[]): Notice[] {
  const kinds = new Map<string, Notice[]>();
  for (const notice of notices) {
    kinds.set(notice.setting, [...(kinds.get(notice.setting) ?? []), notice]);
  }
  return [...kinds.values()].map((same) => (same.length === 1 ? same[0]! : together(same)));
}

function together(same: readonly Notice[]): Notice {
  const first = same[0]!;
  const parts = same.map(({ key }) => key);
  const sessions = new Map(same.map(({ which, title }) => [keyOf(which), title]));
  const key = t`${first.setting} several ${parts.join(" ")}`;
  const shared = { ...first, key, parts, passing: same.every(({ passing }) => passing) };
  if (first.setting === "notifyFailed") {
    const whose = sessions.size === 1 ? t`the ${first.title}` : plural(sessions.size, "session");
    const { error = null, code = null } = first.failed ?? {};
    const text = failure(t`${plural(same.length, "job")} of ${whose} failed`, error, code);
    return { ...shared, text, does: sessions.size === 1 ? first.does : "show" };
  }
  if (sessions.size === 1) {
    const more = t` And ${same.length - 1} more of this kind.`;
    return { ...shared, text: fit(first.text + more) };
  }
  const charged = same.some((notice) => notice.charged);
  const text = several(first.setting, [...sessions.values()], charged);
  return { ...shared, text, does: "show" };
}

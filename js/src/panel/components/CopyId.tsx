// An id that can be copied.
import { t } from "#shared/translation";
import { useState } from "preact/hooks";

export function CopyId({ id }: { id: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(id);
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      // pages that are not served over https may not write to it
      window.prompt(t`Copy the id:`, id);
    }
  };
  return (
    <>
      <button
        type="button"
        class="qs-copy"
        aria-label={t`Copy the id ${id}`}
        title={t`Copy the id`}
        onClick={copy}
      >
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          {copied ? (
            <path d="M3 8.5 6.5 12 13 4.5" fill="none" stroke="currentColor" stroke-width="1.6" />
          ) : (
            <g fill="none" stroke="currentColor" stroke-width="1.3">
              <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
              <path d="M10.5 3.5v-.2a1.3 1.3 0 0 0-1.3-1.3H3.3A1.3 1.3 0 0 0 2 3.3v5.9a1.3 1.3 0 0 0 1.3 1.3h.2" />
            </g>
          )}
        </svg>
      </button>
      <span class="qs-sr" role="status">
        {copied ? t`Copied` : ""}
      </span>
    </>
  );
}

// A button of the panel's header, with its consequence, or why it cannot be used, as its description.
import { t } from "#shared/translation";
import { useSteady } from "#shared/question";

interface ActionButtonProps {
  name: string;
  id: string;
  consequence: string;
  refused: string | null;
  danger?: boolean;
  buttonRef?: { current: HTMLButtonElement | null };
  onClick: () => void;
}

// aria-disabled, not disabled: the button stays reachable, so that its reason can be read
export function ActionButton({
  name,
  id,
  consequence,
  refused,
  danger,
  buttonRef,
  onClick,
}: ActionButtonProps) {
  const { ref, settling, takes } = useSteady(`${name} ${refused === null}`);
  return (
    <span class="qs-action">
      <button
        ref={(button) => {
          ref.current = button;
          if (buttonRef) buttonRef.current = button;
        }}
        type="button"
        class={`qs-button${danger ? " qs-danger" : ""}${refused === null ? "" : " qs-refused"}`}
        aria-describedby={id}
        aria-disabled={refused !== null || settling}
        onClick={(event) => takes(event) && refused === null && onClick()}
      >
        {name}
      </button>
      <span id={id} class="qs-tip" role="tooltip">
        {refused === null ? consequence : t`Not possible: ${refused}`}
      </span>
    </span>
  );
}

// The price that costs are counted with: the plan's, or the reader's own for as long as the page lives.
import { t } from "#shared/translation";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatPrice } from "#shared/formatting";
import { priceWords } from "#shared/messages/labels";
import type { SessionStore } from "../state/store";

export function Price({ store }: { store: SessionStore }) {
  const { service } = store.snapshot;
  const { price_per_second: price } = service;
  const [editing, setEditing] = useState(false);
  const [wrong, setWrong] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => input.current?.select(), [editing]);

  const stop = () => {
    setEditing(false);
    setWrong(false);
    requestAnimationFrame(() => button.current?.focus());
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    const text = input.current!.value.trim().replace(/^\$/, "").replace(",", ".");
    const value = Number(text);
    if (text !== "" && !(value >= 0 && value < 1e6)) {
      setWrong(true);
      return;
    }
    store.setPrice(text === "" ? null : value);
    stop();
  };

  if (editing) {
    return (
      <form class="qs-price-form" onSubmit={onSubmit}>
        <label>
          {t`$ per second`}{" "}
          <input
            ref={input}
            class="qs-input"
            inputMode="decimal"
            size={6}
            defaultValue={price === null ? "" : String(price)}
            aria-invalid={wrong}
            title={t`Empty for the plan's price`}
            onKeyDown={(event) => {
              // the notebook's own keys must not see what is typed here
              event.stopPropagation();
              if (event.key === "Escape") stop();
            }}
          />
        </label>{" "}
        <button type="submit" class="qs-price">{t`Set`}</button>
        <span role="alert" class="qs-warn">
          {wrong ? t` Write a number, such as 1.60.` : ""}
        </span>
      </form>
    );
  }
  const own = store.ownPrice !== null;
  return (
    <button
      ref={button}
      type="button"
      class="qs-price"
      title={t`Count with another price`}
      onClick={() => setEditing(true)}
    >
      {price === null
        ? t`set a price`
        : own
          ? t`at your ${formatPrice(price)}`
          : priceWords(service)}
    </button>
  );
}

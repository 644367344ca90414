// The form for a new session. It writes a cell below the active one and opens nothing: that is what running it does.
import { t } from "#shared/translation";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Device, OpenCell } from "#shared/serverTypes";
import { serviceTitle } from "#shared/messages/labels";
import {
  calibrationWords,
  deviceFacts,
  deviceWords,
  openWords,
  cellWritten,
} from "#shared/messages/newSession";
import { RequestFailed } from "#shared/messages/outcomes";
import { boundHere } from "../state/currentNotebook";
import type { Context } from "./context";

const EMPTY: OpenCell = { backend: "", max_time: "", budget: "", idle_close: "" };
/** The emulator of this machine can be chosen before it runs: the cell starts it. */
const emulator = () => ({ key: "local", title: t`local emulator · no charge` });

export function NewSession({ context, close }: { context: Context; close: () => void }) {
  const { actions, sessions } = context;
  const known = sessions.overview?.services ?? [];
  const choices = known.map((service) => ({ key: service.key, title: serviceTitle(service) }));
  if (!choices.some(({ key }) => key === "local")) choices.push(emulator());
  const here = boundHere(sessions.workloads, actions.place)?.service;
  const [service, setService] = useState(here ?? choices[0]!.key);
  const [wanted, setWanted] = useState(EMPTY);
  const [said, setSaid] = useState({ text: "", failed: false });
  const first = useRef<HTMLSelectElement>(null);
  const chosen = sessions.service(service);
  const devices = useDevices(context, chosen ? service : null);
  const calibrated = useCalibration(context, service, chosen ? wanted.backend : "");
  const device = devices.find(({ name }) => name === wanted.backend);
  const facts = device ? [...deviceFacts(device), calibrated].filter(Boolean).join(" · ") : "";
  useEffect(() => first.current?.focus(), []);
  const change = (name: keyof OpenCell) => (event: { currentTarget: { value: string } }) =>
    setWanted({ ...wanted, [name]: event.currentTarget.value });
  const write = async () => {
    try {
      const path = await actions.writeOpenCell(service, wanted);
      setSaid({ text: cellWritten(path), failed: false });
    } catch (error) {
      const text = error instanceof RequestFailed ? error.message : String(error);
      setSaid({ text, failed: true });
    }
  };
  const typed = (label: string, name: keyof OpenCell, example: string) => (
    <Field label={label}>
      {(id) => <input id={id} placeholder={example} value={wanted[name]} onInput={change(name)} />}
    </Field>
  );
  return (
    <form
      class="qs-lab-form"
      aria-label={t`New session`}
      // JupyterLab: letters that are typed here are no commands to the notebook
      data-lm-suppress-shortcuts="true"
      onSubmit={(event) => {
        event.preventDefault();
        void write();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        close();
      }}
    >
      <Field label={t`Service`}>
        {(id) => (
          <select
            id={id}
            ref={first}
            value={service}
            onChange={(event) => {
              setService(event.currentTarget.value);
              setWanted({ ...wanted, backend: "" });
            }}
          >
            {choices.map(({ key, title }) => (
              <option key={key} value={key}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t`Device`} note={facts}>
        {(id) => (
          <select id={id} value={wanted.backend} onChange={change("backend")}>
            <option value="">
              {chosen?.info.kind === "ibm" ? t`the least busy one` : t`the usual one`}
            </option>
            {devices.map((device) => (
              <option key={device.name} value={device.name} disabled={!device.works}>
                {deviceWords(device)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {typed(t`Maximum time`, "max_time", t`30m; else the plan's longest`)}
      {typed(t`Budget`, "budget", t`$20, or 90s of usage`)}
      {typed(t`Idle close`, "idle_close", t`2m without a job`)}
      <p class="qs-lab-note">{openWords(chosen?.info)}</p>
      <div class="qs-lab-buttons">
        <button type="submit" class="qs-lab-button qs-lab-primary">{t`Write the cell`}</button>
        <button type="button" class="qs-lab-button" onClick={close}>{t`Done`}</button>
      </div>
      <p class={said.failed ? "qs-lab-failed" : "qs-lab-note"} role="status">
        {said.text}
      </p>
    </form>
  );
}

interface FieldProps {
  label: string;
  note?: string;
  children: (id: string) => ComponentChildren;
}

function Field({ label, note, children }: FieldProps) {
  const id = useId();
  return (
    <div class="qs-lab-field">
      <label for={id}>{label}</label>
      {children(id)}
      {note && <span class="qs-lab-note">{note}</span>}
    </div>
  );
}

/** The devices of a service that answers; none while they are not known. */
function useDevices({ actions }: Context, service: string | null): Device[] {
  const [found, setFound] = useState<Device[]>([]);
  useEffect(() => {
    let asked = true;
    setFound([]);
    if (service) {
      // without an answer the device can be left out, or written into the cell
      actions.devices(service).then(
        (devices) => asked && setFound(devices),
        () => undefined,
      );
    }
    return () => {
      asked = false;
    };
  }, [service]);
  return found;
}

function useCalibration({ actions, sessions }: Context, service: string, device: string): string {
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => {
    let asked = true;
    setAt(null);
    if (device) {
      actions.calibrated(service, device).then(
        (found) => asked && setAt(found),
        () => undefined,
      );
    }
    return () => {
      asked = false;
    };
  }, [service, device]);
  return at === null ? "" : calibrationWords(at, sessions.now(service));
}

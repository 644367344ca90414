import { describe, expect, test } from "vitest";
import type { ServiceInfo } from "#shared/snapshot.gen";
import { formatAge } from "../src/shared/formatting";
import { deviceWords, openWords } from "../src/shared/messages/newSession";

const device = { name: "ibm_fez", qubits: 156, queue: 1, works: true };
const info: ServiceInfo = {
  kind: "ibm",
  label: "IBM Quantum",
  plan: "payg",
  price_per_second: 1.6,
  charged: true,
  speed: 1,
  price_source: "list",
  joined: "",
};

describe("the form for a new session", () => {
  test("says of a device what is known", () => {
    expect(deviceWords(device)).toBe("ibm_fez · 156 qubits · 1 job waits");
    expect(deviceWords({ ...device, queue: 12 })).toBe("ibm_fez · 156 qubits · 12 jobs wait");
    expect(deviceWords({ ...device, queue: null, qubits: null })).toBe("ibm_fez");
    expect(deviceWords({ ...device, works: false })).toContain("takes no jobs now");
  });
  test("an age in its largest unit", () => {
    expect([59, 3599, 3600, 47 * 3600, 200 * 86400].map(formatAge)).toEqual([
      "0 min",
      "59 min",
      "1 h",
      "47 h",
      "200 days",
    ]);
  });
  test("names the price before the cell is written", () => {
    expect(openWords(info)).toBe(
      "When it is run, the cell opens a session that costs $96.00 a minute while it is active ($1.60/s, list price of Pay-As-You-Go).",
    );
    expect(openWords({ ...info, price_per_second: null, plan: "open" })).toContain("job mode");
    const joined = openWords({ ...info, kind: "local", joined: "class" });
    expect(joined).toBe("Runs on the emulator class, without charge.");
    expect(openWords(undefined)).toContain("without charge");
  });
});

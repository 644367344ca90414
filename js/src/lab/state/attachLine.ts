// The line that attaches a session. It is run as soon as it is written.
import type { WorkloadRef } from "#shared/serverTypes";

/** The form of an id. A joined service makes its own ids: nothing in one may end the line or be code. */
const PLAIN = /^\w[\w-]{0,99}$/;

/** The line, or null where the id is none that could stand in it. */
export function attachLine({ service, id }: WorkloadRef): string | null {
  // the kernel looks at every saved account, and at every emulator of this machine
  const where = /^ibm(:|$)/.test(service) ? "ibm" : "local";
  return PLAIN.test(id) ? `%session attach ${id} --service ${where}` : null;
}

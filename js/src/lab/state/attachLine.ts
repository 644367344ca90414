// The line that attaches a session. It is run as soon as it is written.
import type { WorkloadRef } from "#shared/serverTypes";

/** The form of an id, and of a name. A joined service makes its own ids: nothing in one may end the line or be code. */
const PLAIN = /^\w[\w-]{0,99}$/;

/** The line, or null where the id is none that could stand in it. */
export function attachLine({ service, id }: WorkloadRef): string | null {
  // of those that were not joined, the kernel looks at every saved account, and at every emulator of this machine
  const joined = /^joined:(.*)$/s.exec(service)?.[1];
  const where = joined ?? (/^ibm(:|$)/.test(service) ? "ibm" : "local");
  return PLAIN.test(id) && PLAIN.test(where) ? `%session attach ${id} --service ${where}` : null;
}

import { PR } from "../../ffi/constants/process.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { CAP_DATA_SIZE, capHeader, readCapData } from "../../ffi/structs/capability.ts";
import { readOr } from "./read.ts";

/** Our own sets of capabilities. */
export function probeCapabilities() {
  const data = new Uint8Array(CAP_DATA_SIZE);
  libc.capget(capHeader(), data);
  return readCapData(data);
}

const newestCapability = 63;
const oldestLast = 37;

const boundingSetField = "CapBnd:\t";

/** The last capability that the kernel has: the number after it is refused. prctl(2), PR_CAPBSET_READ. */
export function probeLastCapability(): number {
  let last = oldestLast;
  while (last < newestCapability && attempt.prctl(PR.CAPBSET_READ, last + 1, 0, 0, 0) >= 0) last++;
  return last;
}

/** The bounding set, a bit for each capability. proc_pid_status(5), CapBnd: 16 digits; where /proc is missing, prctl(2). */
export function probeBoundingSet(last: number, status = readOr("/proc/self/status", "")): bigint {
  const line = status.indexOf(boundingSetField);
  if (line >= 0) {
    const digits = line + boundingSetField.length;
    return BigInt(`0x${status.slice(digits, digits + 16)}`);
  }
  let set = 0n;
  for (let number = 0; number <= last; number++) {
    if (attempt.prctl(PR.CAPBSET_READ, number, 0, 0, 0) === 1) set |= 1n << BigInt(number);
  }
  return set;
}

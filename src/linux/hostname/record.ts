import type { Program } from "../../../ffi/program/program.ts";
import type { PlannedNames } from "./plan.ts";

/** Sets the host and NIS domain name in the new UTS namespace. sethostname(2). */
export function recordNames(program: Program, { hostname, domainname }: PlannedNames): void {
  if (hostname !== "") {
    program.because("hostname");
    program.sethostname(hostname, byteLength(hostname));
  }
  if (domainname !== "") {
    program.because("domainname");
    program.setdomainname(domainname, byteLength(domainname));
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

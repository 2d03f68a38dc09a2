import { SpecError } from "../../spec/error.ts";
import type { Mount } from "../../spec/types.ts";

// What lxcfs and others put into /proc; anything else there could stand in for a file that is written to with the
// runtime's rights (CVE-2019-16884).
const allowedInProc: readonly string[] = [
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/meminfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/uptime",
  "/proc/loadavg",
  "/proc/slabinfo",
  "/proc/net/dev",
  "/proc/sys/kernel/ns_last_pid",
  "/proc/sys/crypto/fips_enabled",
];

/** Throws SpecError for a mount on or inside /proc that is not known to be harmless. */
export function refuseMountInProc(target: string, mount: Mount, bind: boolean, origin: string): void {
  if (target !== "/proc" && !target.startsWith("/proc/")) return;
  if (allowedInProc.includes(target)) return;
  if (target === "/proc") {
    if (mount.type === "proc" || (bind && mount.source === "/proc")) return;
    throw new SpecError(`${origin}.destination`, "is /proc: only a proc file system may be mounted there");
  }
  throw new SpecError(
    `${origin}.destination`,
    `is "${target}": mounts inside /proc are refused, because runtime and container trust what is written there`,
  );
}

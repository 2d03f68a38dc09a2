/**
 * The file of a sysctl below /proc/sys: `net.ipv4.ip_forward` and `net/ipv4/ip_forward` are both
 * `net/ipv4/ip_forward` (sysctl(8): whichever of `.` and `/` comes first separates; the other is then part of a name,
 * so that `net.ipv4.conf.eth0/100.rp_filter` is about the interface eth0.100).
 *
 * @returns undefined when the key names no file below /proc/sys: an empty name, `.` or `..` anywhere.
 */
export function sysctlPath(key: string): string | undefined {
  const slash = key.indexOf("/");
  const dot = key.indexOf(".");
  const dotted = dot !== -1 && (slash === -1 || dot < slash);
  const path = dotted ? key.replace(/[./]/g, (mark) => (mark === "." ? "/" : ".")) : key;
  const sound = path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  return sound ? path : undefined;
}

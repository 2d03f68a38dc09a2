export interface PlannedSysctl {
  /** JSON path of the key. */
  readonly origin: string;
  /** Path beneath a proc file system: sys/net/ipv4/ip_forward. */
  readonly path: string;
  readonly value: string;
}

/**
 * @param sysctl key → value. As in sysctl(8) the first separator of a key, `.` or `/`, is the one of the whole key: in
 * net.ipv4.conf.eth0/1.forwarding the slash stands for a dot in a name.
 */
export function planSysctl(sysctl: Readonly<Record<string, string>>): readonly PlannedSysctl[] {
  return Object.entries(sysctl).map(([key, value]) => ({
    origin: `linux.sysctl["${key}"]`,
    path: `sys/${toPath(key)}`,
    value,
  }));
}

function toPath(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  return first === "/" ? key : key.replace(/[./]/g, (separator) => (separator === "." ? "/" : "."));
}

import { SpecError } from "../../../spec/error.ts";
import type { Resources } from "../../../spec/types.ts";
import { type Limit, limit } from "../limit.ts";

type Network = NonNullable<Resources["network"]>;

const path = "linux.resources.network";

/** Documentation/admin-guide/cgroup-v1/net_cls.rst: the class that tc(8) and the firewall see packets in. */
export function limitNetCls({ classID }: Network): Limit[] {
  return classID === undefined ? [] : [limit("net_cls.classid", classID, `${path}.classID`)];
}

/**
 * Documentation/admin-guide/cgroup-v1/net_prio.rst. Interfaces are those of the machine's own network namespace.
 * Throws SpecError for a name that no interface can have.
 */
export function limitNetPrio({ priorities }: Network): Limit[] {
  return (priorities ?? []).map(({ name, priority }, index) => {
    const property = `${path}.priorities[${index}]`;
    if (name === "" || /\s/.test(name)) throw new SpecError(`${property}.name`, "names no network interface");
    return limit("net_prio.ifpriomap", `${name} ${priority}`, property);
  });
}

/** Version 2 has neither: packets are told apart by the cgroup's path there. */
export function refuseNetwork({ classID, priorities }: Network): void {
  const key =
    classID !== undefined ? "classID" : priorities && priorities.length > 0 ? "priorities" : undefined;
  if (key === undefined) return;
  throw new SpecError(
    `${path}.${key}`,
    "has no counterpart in cgroup v2, which this machine has: match the cgroup's path in the firewall instead (nft socket cgroupv2, iptables -m cgroup --path)",
  );
}

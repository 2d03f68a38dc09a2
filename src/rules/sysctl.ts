/** runtime-spec, config-linux.md, "Sysctl": only what belongs to a namespace of the container may be set. */
import { joinPath } from "../spec/describe.ts";
import { SpecError } from "../spec/error.ts";
import { sysctlPath } from "../spec/sysctl-key.ts";
import type { Config, NamespaceType } from "../spec/types.ts";
import { needNamespace } from "./namespaces.ts";

/** What is below /proc/sys and belongs to which namespace: namespaces(7); a name that ends in / is a directory. */
const NAMESPACED: readonly (readonly [string, NamespaceType])[] = [
  ["net/", "network"],
  ["kernel/msgmax", "ipc"],
  ["kernel/msgmnb", "ipc"],
  ["kernel/msgmni", "ipc"],
  ["kernel/msg_next_id", "ipc"],
  ["kernel/sem", "ipc"],
  ["kernel/sem_next_id", "ipc"],
  ["kernel/shmall", "ipc"],
  ["kernel/shmmax", "ipc"],
  ["kernel/shmmni", "ipc"],
  ["kernel/shm_next_id", "ipc"],
  ["kernel/shm_rmid_forced", "ipc"],
  ["fs/mqueue/", "ipc"],
  ["kernel/hostname", "uts"],
  ["kernel/domainname", "uts"],
  ["user/", "user"],
];

export function sysctlsAreNamespaced(config: Config): void {
  for (const [key, value] of Object.entries(config.linux?.sysctl ?? {})) {
    const here = joinPath("linux.sysctl", key);
    const path = sysctlPath(key);
    const row = NAMESPACED.find(([name]) => (name.endsWith("/") ? path?.startsWith(name) : path === name));
    if (row === undefined) {
      throw new SpecError(here, "belongs to no namespace: setting it would change the host");
    }
    needNamespace(config, row[1], here);
    if (path === "kernel/hostname") refuseSecond(config.hostname, "hostname", value, here);
    if (path === "kernel/domainname") refuseSecond(config.domainname, "domainname", value, here);
  }
}

function refuseSecond(name: string | undefined, property: string, value: string, here: string): void {
  if (name && name !== value) throw new SpecError(here, `contradicts ${property}: give it in one place`);
}

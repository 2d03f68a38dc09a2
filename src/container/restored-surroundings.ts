// What surrounds a restored container, as criu is to be told of it.
import { AT, O } from "../../ffi/constants/file.ts";
import { Descriptor, readLink, readText } from "../../ffi/file.ts";
import { attempt } from "../../ffi/libc.ts";
import type { Mapping } from "../linux/criu/messages.ts";
import { namespaceFiles } from "../linux/namespaces/plan.ts";
import type { Plan } from "../plan/types.ts";
import { SpecError } from "../spec/error.ts";
import { externalNamespaces } from "./criu.ts";
import { parseMountinfo } from "./external-mounts.ts";

/** Where a process is in each hierarchy: a controller, and the path. proc_pid_cgroup(5). Throws SyscallError. */
export function readCgroups(pid: number): Mapping[] {
  return readText(`/proc/${pid}/cgroup`)
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => {
      const [, controllers = "", ...path] = line.split(":");
      return controllers.split(",").map((key) => ({ key, value: path.join(":") }));
    });
}

/** What is mounted beneath a directory, in the caller's view; nothing beneath what cannot be opened. */
export function submountsOf(source: string): Mapping[] {
  const fd = attempt.openat(AT.FDCWD, source, O.PATH | O.CLOEXEC, 0);
  if (fd < 0) return [];
  using opened = new Descriptor(fd);
  const real = readLink(`/proc/self/fd/${opened.fd}`);
  const prefix = real === "/" ? "/" : `${real}/`;
  return parseMountinfo(readText("/proc/self/mountinfo"))
    .filter(({ mountpoint }) => mountpoint.startsWith(prefix) && mountpoint !== prefix)
    .map(({ mountpoint }) => ({ key: `/${mountpoint.slice(prefix.length)}`, value: mountpoint }));
}

/** Namespaces that criu enters by their paths; it gets those of externalNamespaces by a descriptor. Throws SpecError. */
export function joinedNamespaces({ namespaces }: Plan): Mapping[] {
  const joined: Mapping[] = [];
  for (const [name, namespace] of Object.entries(namespaces) as [
    keyof Plan["namespaces"],
    Plan["namespaces"]["user"],
  ][]) {
    if (namespace.kind !== "join" || externalNamespaces.some((each) => each.name === name)) continue;
    if (name === "cgroup") {
      throw new SpecError(namespace.origin, "names a cgroup namespace, into which criu can restore nothing");
    }
    joined.push({ key: namespaceFiles[name], value: namespace.path });
  }
  return joined;
}

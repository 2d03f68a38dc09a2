// Id-mapped mounts, made before the container's processes. Loaded only when config.json asks for some.

import { O } from "../../ffi/constants/file.ts";
import { CLONE } from "../../ffi/constants/process.ts";
import { SIG } from "../../ffi/constants/signal.ts";
import { Descriptor, openFile } from "../../ffi/file.ts";
import { attempt } from "../../ffi/libc.ts";
import { waitFor } from "../../ffi/process.ts";
import { compile } from "../../ffi/program/image.ts";
import { sealImage, spawnImage } from "../../ffi/program/launch.ts";
import { newProgram } from "../../ffi/program/program.ts";
import { writeIdmap } from "../linux/idmap/apply.ts";
import type { MountIdmap } from "../linux/mounts/idmap.ts";
import { openMappedTree } from "../linux/mounts/open-mapped.ts";
import type { OpenedNamespace } from "../linux/namespaces/apply.ts";
import type { Plan } from "../plan/types.ts";
import { ContainerError } from "./error.ts";
import { openSync, receive, recordAwait, recordTell, sendGo } from "./sync.ts";

type Maps = Extract<MountIdmap, { kind: "maps" }>;

/**
 * Opens the trees of all mounts that have maps.
 * @param namespaces those that the container joins, opened
 * @param directory the container's directory, where an image can be hidden if memfds may not be executed
 * Returns them by the mount's index; they are the caller's to close. Throws SpecError, SyscallError, ContainerError.
 */
export function openMappedMounts(
  plan: Plan,
  namespaces: readonly OpenedNamespace[],
  directory: Descriptor,
): Map<number, Descriptor> {
  const trees = new Map<number, Descriptor>();
  const made = new Map<string, Descriptor>();
  const userNamespace = (idmap: Maps): number => {
    const key = JSON.stringify([idmap.uid, idmap.gid]);
    const known = made.get(key) ?? makeUserNamespace(idmap, directory);
    made.set(key, known);
    return known.fd;
  };
  const joined = namespaces.find(({ name }) => name === "user")?.descriptor.fd ?? -1;
  try {
    for (const [index, { idmap, source }] of plan.mounts.entries()) {
      if (idmap.kind === "none" || source.kind !== "bind") continue;
      const fd = idmap.kind === "joined" ? joined : userNamespace(idmap);
      trees.set(index, openMappedTree(source, idmap, fd, plan.rootfs.propagation));
    }
    return trees;
  } catch (error) {
    for (const tree of trees.values()) tree.close();
    throw error;
  } finally {
    for (const namespace of made.values()) namespace.close();
  }
}

/**
 * A user namespace that nobody lives in: the kernel takes maps in this form only. A process of its own makes it, for
 * ours has threads, and ends as soon as the namespace is open.
 */
function makeUserNamespace(idmap: Maps, directory: Descriptor): Descriptor {
  const { ours, theirs } = openSync();
  using talk = ours;
  let image: Uint8Array;
  let pid: number;
  try {
    const program = newProgram({ report: theirs.fd });
    program.because(idmap.origin);
    program.unshare(CLONE.NEWUSER);
    recordTell(program, theirs.fd, "ready");
    recordAwait(program, theirs.fd);
    program.exit_group(0);
    image = compile(program);
    using memfd = new Descriptor(sealImage(image, directory.fd));
    pid = spawnImage(memfd.fd, ["bunc: id map"], [theirs.fd]);
  } finally {
    theirs.close();
  }
  try {
    const message = receive(talk.fd);
    if (message.kind === "failure") {
      const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
      throw explainStep(image, message.step, message.errno, "");
    }
    if (message.kind !== "ready")
      throw new ContainerError(idmap.origin, "the process that maps ids was killed");
    const { uid, gid } = idmap;
    writeIdmap({ kind: "write", uid, gid, setgroups: "allow" }, pid, () => idmap.origin);
    const namespace = openFile(`/proc/${pid}/ns/user`, O.RDONLY);
    sendGo(talk.fd);
    return namespace;
  } catch (error) {
    attempt.kill(pid, SIG.KILL);
    throw error;
  } finally {
    waitFor(pid);
  }
}

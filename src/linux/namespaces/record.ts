import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O } from "../../../ffi/constants/file.ts";
import { CLONE } from "../../../ffi/constants/process.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import type { OpenedNamespace } from "./apply.ts";
import { namespaceFlags, ownFlags, type PlannedNamespaces } from "./plan.ts";

/**
 * Joins the opened namespaces. A user namespace decides what may be joined: namespaces that it owns can only be joined
 * from inside it, and those of its parents only before. So each other one is tried first, and again after the
 * user namespace when it was not permitted. setns(2).
 */
export function recordJoins(program: Program, opened: readonly OpenedNamespace[]): void {
  if (opened.length === 0) return;
  const user = opened.find((namespace) => namespace.name === "user");
  const others = opened.filter((namespace) => namespace !== user);
  if (!user) {
    for (const namespace of others) recordJoin(program, namespace);
    return;
  }
  const retries = others.map((namespace) => {
    program.because(namespace.origin);
    const left = program.register(`${namespace.name} left to join`, 1);
    program.setns(namespace.descriptor.fd, namespaceFlags[namespace.name]).into(left).ignore(ERRNO.EPERM);
    return { namespace, left };
  });
  recordJoin(program, user);
  for (const { namespace, left } of retries) {
    const again = program.label(`join ${namespace.name}`);
    const done = program.label(`${namespace.name} joined`);
    program.set(left).ifNonZero(again);
    program.jump(done);
    program.place(again);
    recordJoin(program, namespace);
    program.place(done);
  }
}

function recordJoin(program: Program, { name, descriptor, origin }: OpenedNamespace): void {
  program.because(origin);
  program.setns(descriptor.fd, namespaceFlags[name]);
}

/** Descriptors that a process is joined by. */
export interface JoinedProcess {
  /** A pidfd. */
  readonly init: number;
  /** Its root directory. */
  readonly root: number | Register;
}

/**
 * Joins another process: its namespaces, and its root. setns(2) with a pidfd, Linux 5.8. A mount namespace is joined at the
 * top of what is mounted on its root, which need not be where the process is: before the switch of root that may be the
 * container's, and a container without a mount namespace has changed its root only.
 * @param flags CLONE_NEW* or-ed: the namespaces that are not the caller's own, which cannot be joined again
 * @param origin who asked
 * @param becomeRoot records the change to root's ids in a user namespace that was joined
 */
export function recordJoinProcess(
  program: Program,
  { init, root }: JoinedProcess,
  flags: number,
  origin: string,
  becomeRoot: () => void,
): void {
  program.because(origin);
  if (flags !== 0) program.setns(init, flags);
  becomeRoot();
  program.because(origin);
  program.fchdir(root);
  program.chroot(".");
  program.chdir("/");
}

/**
 * Enters a new time namespace. It is made for children, and its offsets can be written while nobody is in it; joining it
 * by its file then takes effect at once. time_namespaces(7), Linux 5.6. Before the id maps are written: what needs them
 * makes this process's files in /proc somebody else's.
 * @param offsets from planTimeOffsets
 */
export function recordTimeNamespace(program: Program, namespaces: PlannedNamespaces, offsets: string): void {
  if (namespaces.time.kind !== "new") return;
  program.because("linux.namespaces");
  program.unshare(CLONE.NEWTIME);
  if (offsets !== "") {
    program.because("linux.timeOffsets");
    const file = program.openat(AT.FDCWD, "/proc/self/timens_offsets", O.WRONLY | O.CLOEXEC, 0);
    const bytes = new TextEncoder().encode(offsets);
    program.write(file, bytes, bytes.length);
    program.close(file);
    program.because("linux.namespaces");
  }
  const made = program.openat(AT.FDCWD, "/proc/self/ns/time_for_children", O.RDONLY | O.CLOEXEC, 0);
  program.setns(made, CLONE.NEWTIME);
  program.close(made);
}

/** Makes what init makes itself, see ownFlags. unshare(2), cgroup_namespaces(7). */
export function recordOwnNamespaces(program: Program, namespaces: PlannedNamespaces): void {
  const flags = ownFlags(namespaces);
  if (flags === 0) return;
  program.because("linux.namespaces");
  program.unshare(flags);
}

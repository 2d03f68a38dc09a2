import { ERRNO } from "../../../ffi/constants/errno.ts";
import { CLONE } from "../../../ffi/constants/process.ts";
import type { Program } from "../../../ffi/program/program.ts";
import type { OpenedNamespace } from "./apply.ts";
import { namespaceFlags, type PlannedNamespaces } from "./plan.ts";

/**
 * Joins the opened namespaces. A user namespace decides what may be joined: namespaces that it owns can only be joined
 * from inside it, and those of its parents only before. So each other one is tried first, and again after the
 * user namespace when it was not permitted. setns(2).
 */
export function recordJoins(program: Program, opened: readonly OpenedNamespace[]): void {
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

/** Enters a new time namespace: it takes effect for children only, so it comes before the clone. Linux 5.6. */
export function recordTimeNamespace(program: Program, namespaces: PlannedNamespaces): void {
  if (namespaces.time.kind !== "new") return;
  program.because("linux.namespaces");
  program.unshare(CLONE.NEWTIME);
}

/** Makes a cgroup namespace whose root is the cgroup that init is in. cgroup_namespaces(7). */
export function recordCgroupNamespace(program: Program, namespaces: PlannedNamespaces): void {
  if (namespaces.cgroup.kind !== "new") return;
  program.because("linux.namespaces");
  program.unshare(CLONE.NEWCGROUP);
}

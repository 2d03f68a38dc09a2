import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT } from "../../../ffi/constants/file.ts";
import { FSCONFIG, FSMOUNT, FSOPEN, MOUNT_ATTR, OPEN_TREE } from "../../../ffi/constants/mount.ts";
import type { Label, Program, Register } from "../../../ffi/program/program.ts";
import type { Handle } from "../in-root.ts";
import { setAttributes } from "./attributes.ts";
import { recordRootLabel } from "./label.ts";
import type { Parameter, PlannedMount, PlannedSource } from "./plan.ts";
import type { MountTalk } from "./talk.ts";

type Filesystem = Extract<PlannedSource, { kind: "filesystem" }>;

/** A new file system as a detached tree. fsopen(2), fsmount(2). */
export function recordFilesystem(
  program: Program,
  source: Filesystem,
  mount: PlannedMount,
  talk: MountTalk,
): Register {
  const tree = program.register(`tree of ${mount.origin}`);
  if (source.fallback.path !== "") return recordPermitted(program, source, mount, talk, tree);
  const context = recordContext(program, source.type, source.source, source.parameters);
  program.fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0);
  // What is read-only cannot be filled.
  const later = source.copyUp ? MOUNT_ATTR.RDONLY : 0;
  program.fsmount(context, FSMOUNT.CLOEXEC, mount.attributes.set & ~later).into(tree);
  recordRootLabel(program, tree, source.rootLabel);
  program.because(mount.origin);
  program.close(context);
  return tree;
}

/** A new file system if the kernel permits this namespace one, else what may stand in for it. */
function recordPermitted(
  program: Program,
  source: Filesystem,
  mount: PlannedMount,
  talk: MountTalk,
  tree: Register,
): Register {
  // It is answered in any of three calls: sysfs already in the first.
  const unopened = program.label(`${mount.origin} refused at once`);
  const refused = program.label(`${mount.origin} refused`);
  const made = program.label(`${mount.origin} made`);
  const done = program.label(`${mount.origin} at hand`);
  const context = recordContext(program, source.type, source.source, source.parameters, unopened);
  program.fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0).orJump(refused, ERRNO.EPERM, ERRNO.EACCES);
  program
    .fsmount(context, FSMOUNT.CLOEXEC, mount.attributes.set)
    .into(tree)
    .orJump(refused, ERRNO.EPERM, ERRNO.EACCES)
    .ifNonZero(made);
  program.place(refused);
  program.close(context);
  program.place(unopened);
  talk.instead();
  program
    .open_tree(AT.FDCWD, source.fallback.path, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.RECURSIVE)
    .into(tree);
  setAttributes(program, tree, { set: mount.attributes.set | source.fallback.attributes, clear: 0 }, true);
  program.jump(done);
  program.place(made);
  recordRootLabel(program, tree, source.rootLabel);
  program.because(mount.origin);
  program.close(context);
  program.place(done);
  return tree;
}

/**
 * fsopen(2) and all parameters, short of creating anything.
 * @param refused where to go on when the kernel does not permit it; without, that is an error
 */
function recordContext(
  program: Program,
  type: string,
  source: string,
  parameters: readonly Parameter[],
  refused?: Label,
): Register {
  const context = program.register(`context of ${type}`);
  const opened = program.fsopen(type, FSOPEN.CLOEXEC).into(context);
  if (refused) opened.orJump(refused, ERRNO.EPERM, ERRNO.EACCES);
  program.fsconfig(context, FSCONFIG.SET_STRING, "source", source, 0);
  // The tty group is not mapped in a namespace of one id: the terminals then belong to the user's own group.
  recordParameters(program, context, parameters, type === "devpts" ? "gid" : "");
  return context;
}

/** fsconfig(2) of each parameter. @param dispensable one whose value may be refused */
export function recordParameters(
  program: Program,
  context: Handle,
  parameters: readonly Parameter[],
  dispensable = "",
): void {
  for (const { key, value } of parameters) {
    const step =
      value === null
        ? program.fsconfig(context, FSCONFIG.SET_FLAG, key, null, 0)
        : program.fsconfig(context, FSCONFIG.SET_STRING, key, value, 0);
    if (key === dispensable) step.ignore(ERRNO.EINVAL);
  }
}

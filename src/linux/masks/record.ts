import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, F, O, S } from "../../../ffi/constants/file.ts";
import {
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  MOUNT_ATTR,
  MOVE_MOUNT,
  OPEN_TREE,
} from "../../../ffi/constants/mount.ts";
import type { Data, Label, Program, Register } from "../../../ffi/program/program.ts";
import { MOUNT_ATTR_SIZE, mountAttr } from "../../../ffi/structs/mount-attr.ts";
import { type Handle, recordOpenInRoot } from "../in-root.ts";
import { recordExpectDevice, recordExpectType, statSize } from "../stat.ts";
import type { PlannedMasks } from "./plan.ts";

const onto = MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH;

/** The caller's view is needed: the mask of a file is the caller's /dev/null, not the container's (CVE-2025-31133). */
export function recordMasks(program: Program, root: Handle, plan: PlannedMasks): void {
  program.each(plan.readonly, "linux.readonlyPaths", (path) => recordReadonly(program, root, path));
  if (plan.masked.length === 0) return;
  const covers = new Covers(program, plan.label);
  program.each(plan.masked, "linux.maskedPaths", (path) => recordMasked(program, root, path, covers));
  covers.recordClose();
}

/** A missing path needs no mask. */
function recordOpenExisting(program: Program, root: Handle, path: string, absent: Label): Register {
  const target = program.register(`target ${path}`);
  recordOpenInRoot(program, root, path, O.PATH).into(target).orJump(absent, ERRNO.ENOENT, ERRNO.ENOTDIR);
  return target;
}

/** The path bound onto itself, so that it has a mount of its own to make read-only; other restrictions stay. */
function recordReadonly(program: Program, root: Handle, path: string): void {
  const absent = program.label(`no ${path}`);
  const target = recordOpenExisting(program, root, path, absent);
  const tree = program.open_tree(
    target,
    "",
    OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.EMPTY_PATH | OPEN_TREE.RECURSIVE,
  );
  const attr = mountAttr({ set: MOUNT_ATTR.RDONLY });
  program.mount_setattr(tree, "", AT.EMPTY_PATH | AT.RECURSIVE, attr, MOUNT_ATTR_SIZE);
  program.move_mount(tree, "", target, "", onto);
  program.close(tree);
  program.close(target);
  program.place(absent);
}

function recordMasked(program: Program, root: Handle, path: string, covers: Covers): void {
  const absent = program.label(`no ${path}`);
  const file = program.label(`${path} is a file`);
  const move = program.label(`mask ${path}`);
  const cover = program.register(`mask of ${path}`);
  const target = recordOpenExisting(program, root, path, absent);
  program.newfstatat(target, "", covers.stat, AT.EMPTY_PATH);
  recordExpectType(program, covers.stat, S.IFDIR, ERRNO.ENOTDIR).orJump(file);
  covers.recordDirectory(cover);
  program.jump(move);
  program.place(file);
  covers.recordFile(cover);
  program.place(move);
  program.move_mount(cover, "", target, "", onto);
  program.close(cover);
  program.close(target);
  program.place(absent);
}

/** What is put over a masked path: clones of one /dev/null and of one empty read-only tmpfs. */
class Covers {
  readonly stat: Data;
  private readonly nothing: Register;
  private readonly empty: Register;
  /** Whether the tmpfs covers something already: only a mount that is attached can be cloned (before Linux 6.15). */
  private readonly attached: Register;

  constructor(
    private readonly program: Program,
    label: string,
  ) {
    this.stat = program.space(statSize);
    this.nothing = program.register("/dev/null");
    this.empty = program.register("empty tmpfs");
    this.attached = program.register("empty tmpfs is attached", 0);
    program.because("linux.maskedPaths");
    program.openat(AT.FDCWD, "/dev/null", O.PATH | O.CLOEXEC, 0).into(this.nothing);
    program.newfstatat(this.nothing, "", this.stat, AT.EMPTY_PATH);
    recordExpectType(program, this.stat, S.IFCHR, ERRNO.ENODEV);
    recordExpectDevice(program, this.stat, 1, 3, ERRNO.ENODEV);
    this.makeEmpty(label);
  }

  private makeEmpty(label: string): void {
    const { program } = this;
    const context = program.fsopen("tmpfs", FSOPEN.CLOEXEC);
    program.fsconfig(context, FSCONFIG.SET_STRING, "size", "0", 0);
    program.fsconfig(context, FSCONFIG.SET_STRING, "mode", "755", 0);
    if (label !== "") program.fsconfig(context, FSCONFIG.SET_STRING, "context", label, 0);
    program.fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0);
    const attributes = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;
    program.fsmount(context, FSMOUNT.CLOEXEC, attributes).into(this.empty);
    program.close(context);
  }

  recordFile(cover: Register): void {
    this.program
      .open_tree(this.nothing, "", OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.EMPTY_PATH)
      .into(cover);
  }

  recordDirectory(cover: Register): void {
    const { program, empty, attached } = this;
    const clone = program.label("clone the empty tmpfs");
    const done = program.label("empty tmpfs at hand");
    program.set(attached).ifNonZero(clone);
    // The first time it is the tmpfs itself, which the caller attaches and whose descriptor it closes.
    program.fcntl(empty, F.DUPFD_CLOEXEC, 0).into(cover);
    program.set(1).into(attached).ifNonZero(done);
    program.place(clone);
    program.open_tree(empty, "", OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.EMPTY_PATH).into(cover);
    program.place(done);
  }

  /** No descriptor of the caller's files stays with a container that waits. */
  recordClose(): void {
    this.program.because("linux.maskedPaths");
    this.program.close(this.nothing);
    this.program.close(this.empty);
  }
}

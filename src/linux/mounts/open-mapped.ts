// Trees with mapped ids: made by the caller, who alone may. Loaded only when a mount asks for maps.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT } from "../../../ffi/constants/file.ts";
import { MOUNT_ATTR, MS, OPEN_TREE } from "../../../ffi/constants/mount.ts";
import { Descriptor, readText } from "../../../ffi/file.ts";
import { attempt, failure, libc } from "../../../ffi/libc.ts";
import { MOUNT_ATTR_SIZE, mountAttr } from "../../../ffi/structs/mount-attr.ts";
import { SpecError } from "../../spec/error.ts";
import type { MountIdmap } from "./idmap.ts";
import type { PlannedSource } from "./plan.ts";

type Bind = Extract<PlannedSource, { kind: "bind" }>;
type Mapped = Exclude<MountIdmap, { kind: "none" }>;

/**
 * Opens the tree of a bind mount and maps its ids, which can be done only while it is detached. open_tree(2),
 * mount_setattr(2).
 * @param userNamespace descriptor of the user namespace with the maps
 * @param propagation MS.* that ties the tree to the caller's mounts no more than the container's other mounts are
 * Throws SpecError that names the file system which has no such mounts; SyscallError.
 */
export function openMappedTree(
  source: Bind,
  idmap: Mapped,
  userNamespace: number,
  propagation: number,
): Descriptor {
  const beneath = source.recursive ? OPEN_TREE.RECURSIVE : 0;
  const tree = new Descriptor(
    libc.open_tree(AT.FDCWD, source.path, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | beneath),
  );
  try {
    const flags = AT.EMPTY_PATH | (idmap.recursive ? AT.RECURSIVE : 0);
    const attr = mountAttr({ set: MOUNT_ATTR.IDMAP, usernsFd: userNamespace });
    const result = attempt.mount_setattr(tree.fd, "", flags, attr, MOUNT_ATTR_SIZE);
    if (result < 0) throw explain(source, idmap, -result, [tree.fd, "", flags, attr, MOUNT_ATTR_SIZE]);
    if (propagation !== MS.SHARED) {
      const all = AT.EMPTY_PATH | AT.RECURSIVE;
      libc.mount_setattr(tree.fd, "", all, mountAttr({ propagation }), MOUNT_ATTR_SIZE);
    }
    return tree;
  } catch (error) {
    tree.close();
    throw error;
  }
}

function explain({ path }: Bind, idmap: Mapped, errno: number, args: Parameters<typeof failure>[1]): Error {
  const cause = failure("mount_setattr", args, errno);
  const type = fileSystemOf(path);
  const beneath = idmap.recursive ? " or what is mounted beneath it" : "";
  if (errno === ERRNO.EINVAL) {
    return new SpecError(
      idmap.origin,
      `asks for an id-mapped mount of ${path}, but this kernel cannot map the ids of its file system, ${type}${beneath}`,
      { cause },
    );
  }
  return new SpecError(idmap.origin, `asks for an id-mapped mount of ${path}, which is on ${type}`, {
    cause,
  });
}

/** statx(2): the field's bit, and where it is. Linux 5.8. */
const STATX_MNT_ID = 0x1000;
const mountIdOffset = 144;

/** The type of the file system that a path is on, as mountinfo names it. proc_pid_mountinfo(5). */
function fileSystemOf(path: string): string {
  const status = new Uint8Array(256);
  if (attempt.statx(AT.FDCWD, path, 0, STATX_MNT_ID, status) < 0) return "unknown";
  const id = new DataView(status.buffer).getBigUint64(mountIdOffset, true);
  const line = readText("/proc/self/mountinfo")
    .split("\n")
    .find((each) => each.startsWith(`${id} `));
  return line?.split(" - ")[1]?.split(" ")[0] ?? "unknown";
}

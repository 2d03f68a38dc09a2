// What each mount option means. Source: runtime-spec 1.3.0, config.md "Linux mount options"; mount(8); mount_setattr(2).
import { MOUNT_ATTR, MS } from "../../../ffi/constants/mount.ts";

/** What an option does. Several options of one mount are applied in the order in which they are listed. */
export type MountOption =
  /** Attributes of this one mount: the bits to set and to clear. */
  | { readonly does: "attribute"; readonly set: number; readonly clear: number; readonly recursive: boolean }
  /** A flag of the file system itself (fsconfig(2), FSCONFIG_SET_FLAG); bind mounts have none of their own. */
  | { readonly does: "filesystem"; readonly flag: string }
  /** A flag of the file system that only mount(2) takes. */
  | { readonly does: "legacy"; readonly set: number; readonly clear: number }
  | { readonly does: "bind"; readonly recursive: boolean }
  | { readonly does: "propagation"; readonly flag: number; readonly recursive: boolean }
  | { readonly does: "remount" }
  | { readonly does: "idmap"; readonly recursive: boolean }
  /** What runc and crun know besides the specification. */
  | { readonly does: "extension"; readonly name: Extension }
  | { readonly does: "nothing" };

export type Extension = "tmpcopyup" | "copy-symlink" | "src-nofollow" | "dest-nofollow";

const attribute = (set: number, clear = 0): MountOption => ({
  does: "attribute",
  set,
  clear,
  recursive: false,
});
const recursive = (set: number, clear = 0): MountOption => ({
  does: "attribute",
  set,
  clear,
  recursive: true,
});
const filesystem = (flag: string): MountOption => ({ does: "filesystem", flag });
const legacy = (set: number, clear = 0): MountOption => ({ does: "legacy", set, clear });
const propagation = (flag: number, recursive: boolean): MountOption => ({
  does: "propagation",
  flag,
  recursive,
});
const extension = (name: Extension): MountOption => ({ does: "extension", name });
const nothing: MountOption = { does: "nothing" };

const A = MOUNT_ATTR;

/**
 * Option → meaning. Access times are one field of three values, of which relatime is the kernel's default and 0:
 * whatever names one clears the field (_ATIME) and sets its own.
 */
export const mountOptions: Readonly<Record<string, MountOption>> = {
  defaults: nothing,
  ro: attribute(A.RDONLY),
  rw: attribute(0, A.RDONLY),
  suid: attribute(0, A.NOSUID),
  nosuid: attribute(A.NOSUID),
  dev: attribute(0, A.NODEV),
  nodev: attribute(A.NODEV),
  exec: attribute(0, A.NOEXEC),
  noexec: attribute(A.NOEXEC),
  symfollow: attribute(0, A.NOSYMFOLLOW),
  nosymfollow: attribute(A.NOSYMFOLLOW),
  atime: attribute(0, A._ATIME),
  noatime: attribute(A.NOATIME, A._ATIME),
  diratime: attribute(0, A.NODIRATIME),
  nodiratime: attribute(A.NODIRATIME),
  relatime: attribute(0, A._ATIME),
  norelatime: nothing,
  strictatime: attribute(A.STRICTATIME, A._ATIME),
  nostrictatime: attribute(0, A._ATIME),

  rro: recursive(A.RDONLY),
  rrw: recursive(0, A.RDONLY),
  rsuid: recursive(0, A.NOSUID),
  rnosuid: recursive(A.NOSUID),
  rdev: recursive(0, A.NODEV),
  rnodev: recursive(A.NODEV),
  rexec: recursive(0, A.NOEXEC),
  rnoexec: recursive(A.NOEXEC),
  rsymfollow: recursive(0, A.NOSYMFOLLOW),
  rnosymfollow: recursive(A.NOSYMFOLLOW),
  ratime: recursive(0, A._ATIME),
  rnoatime: recursive(A.NOATIME, A._ATIME),
  rdiratime: recursive(0, A.NODIRATIME),
  rnodiratime: recursive(A.NODIRATIME),
  rrelatime: recursive(0, A._ATIME),
  rnorelatime: nothing,
  rstrictatime: recursive(A.STRICTATIME, A._ATIME),
  rnostrictatime: recursive(0, A._ATIME),

  sync: filesystem("sync"),
  async: filesystem("async"),
  dirsync: filesystem("dirsync"),
  lazytime: filesystem("lazytime"),
  nolazytime: filesystem("nolazytime"),
  mand: filesystem("mand"),
  nomand: filesystem("nomand"),
  iversion: legacy(MS.I_VERSION),
  noiversion: legacy(0, MS.I_VERSION),
  silent: legacy(MS.SILENT),
  loud: legacy(0, MS.SILENT),

  bind: { does: "bind", recursive: false },
  rbind: { does: "bind", recursive: true },
  remount: { does: "remount" },
  idmap: { does: "idmap", recursive: false },
  ridmap: { does: "idmap", recursive: true },

  tmpcopyup: extension("tmpcopyup"),
  "copy-symlink": extension("copy-symlink"),
  "src-nofollow": extension("src-nofollow"),
  "dest-nofollow": extension("dest-nofollow"),

  private: propagation(MS.PRIVATE, false),
  rprivate: propagation(MS.PRIVATE, true),
  shared: propagation(MS.SHARED, false),
  rshared: propagation(MS.SHARED, true),
  slave: propagation(MS.SLAVE, false),
  rslave: propagation(MS.SLAVE, true),
  unbindable: propagation(MS.UNBINDABLE, false),
  runbindable: propagation(MS.UNBINDABLE, true),
};

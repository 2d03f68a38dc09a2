// Numbers of file system calls. Source: include/uapi/asm-generic/fcntl.h, include/uapi/linux/{fcntl,openat2,stat,memfd}.h.

// Three open flags have other numbers on arm64 (arch/arm64/include/uapi/asm/fcntl.h).
const arm64 = process.arch === "arm64";

/** open(2) flags. */
export const O = {
  RDONLY: 0,
  WRONLY: 0o1,
  RDWR: 0o2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: arm64 ? 0o40000 : 0o200000,
  NOFOLLOW: arm64 ? 0o100000 : 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  TMPFILE: 0o20000000 | (arm64 ? 0o40000 : 0o200000),
} as const;

/** Flags of the *at calls; FDCWD stands for the current directory where a descriptor is asked for. */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  EACCESS: 0x200,
  REMOVEDIR: 0x200,
  SYMLINK_FOLLOW: 0x400,
  EMPTY_PATH: 0x1000,
  RECURSIVE: 0x8000,
} as const;

/** How openat2(2) resolves a path. Linux 5.6. */
export const RESOLVE = {
  NO_XDEV: 0x01,
  NO_MAGICLINKS: 0x02,
  NO_SYMLINKS: 0x04,
  BENEATH: 0x08,
  IN_ROOT: 0x10,
} as const;

/** File types and mode bits of st_mode. */
export const S = {
  IFMT: 0o170000,
  IFSOCK: 0o140000,
  IFLNK: 0o120000,
  IFREG: 0o100000,
  IFBLK: 0o060000,
  IFDIR: 0o040000,
  IFCHR: 0o020000,
  IFIFO: 0o010000,
  ISVTX: 0o001000,
} as const;

/** fcntl(2) commands. */
export const F = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  DUPFD_CLOEXEC: 1030,
  ADD_SEALS: 1033,
  GET_SEALS: 1034,
} as const;

export const FD_CLOEXEC = 1;

/** Seals of a memfd. */
export const F_SEAL = { SEAL: 1, SHRINK: 2, GROW: 4, WRITE: 8 } as const;

/** memfd_create(2) flags. EXEC and NOEXEC_SEAL need Linux 6.3; older kernels answer EINVAL. */
export const MFD = { CLOEXEC: 1, ALLOW_SEALING: 2, NOEXEC_SEAL: 8, EXEC: 0x10 } as const;

/** access(2) modes. */
export const ACCESS = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4 } as const;

/** Fields that statx(2) is asked for. include/uapi/linux/stat.h. */
export const STATX = { MTIME: 0x40, BASIC_STATS: 0x7ff } as const;

/** flock(2) operations. */
export const LOCK = { SH: 1, EX: 2, NB: 4, UN: 8 } as const;

/** renameat2(2) flags. */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2 } as const;

/** Magic numbers of statfs(2). Source: include/uapi/linux/magic.h. */
export const MAGIC = {
  PROC_SUPER: 0x9fa0,
  TMPFS: 0x01021994,
  CGROUP_SUPER: 0x27e0eb,
  CGROUP2_SUPER: 0x63677270,
  SYSFS: 0x62656572,
  DEVPTS_SUPER: 0x1cd1,
  RAMFS: 0x858458f6,
} as const;

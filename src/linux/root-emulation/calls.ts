// The calls that the supervisor answers, and where their arguments are.

/** How struct stat is laid out for the caller. */
export type StatLayout = "native" | "stat64" | "statx";

/** Where the file is named: indexes of arguments; -1 for none. */
interface Named {
  readonly path: number;
  /** A directory that the path is seen from, or without a path the file itself. */
  readonly fd: number;
  /** AT_* flags. */
  readonly flags: number;
  /** Whether a link at the end is followed, without a flag that says otherwise. */
  readonly follow: boolean;
}

export type AnsweredCall =
  | (Named & {
      readonly does: "chown";
      /** Index of the owner's argument; the group's is the next. */
      readonly ids: number;
      /** Whether ids are of 16 bits on the 32-bit architectures. */
      readonly short: boolean;
    })
  | (Named & { readonly does: "stat"; readonly buffer: number; readonly layout: StatLayout })
  | (Named & { readonly does: "mknod"; readonly mode: number });

const byPath = { path: 0, fd: -1, flags: -1, follow: true } as const;
const byLink = { ...byPath, follow: false } as const;
const byFd = { path: -1, fd: 0, flags: -1, follow: true } as const;
const at = (flags: number, follow = true) => ({ path: 1, fd: 0, flags, follow }) as const;

const chown = (named: Named, ids: number, short: boolean): AnsweredCall => ({
  ...named,
  does: "chown",
  ids,
  short,
});
const stat = (named: Named, buffer: number, layout: StatLayout): AnsweredCall => ({
  ...named,
  does: "stat",
  buffer,
  layout,
});

/**
 * By name. The oldest stat calls of 32-bit x86 and ARM are not here: their structure is too small for today's file systems,
 * and the kernel answers them.
 */
export const answeredCalls: Readonly<Record<string, AnsweredCall>> = {
  chown: chown(byPath, 1, true),
  lchown: chown(byLink, 1, true),
  fchown: chown(byFd, 1, true),
  chown32: chown(byPath, 1, false),
  lchown32: chown(byLink, 1, false),
  fchown32: chown(byFd, 1, false),
  fchownat: chown(at(4), 2, false),
  stat: stat(byPath, 1, "native"),
  lstat: stat(byLink, 1, "native"),
  fstat: stat(byFd, 1, "native"),
  newfstatat: stat(at(3), 2, "native"),
  stat64: stat(byPath, 1, "stat64"),
  lstat64: stat(byLink, 1, "stat64"),
  fstat64: stat(byFd, 1, "stat64"),
  fstatat64: stat(at(3), 2, "stat64"),
  statx: stat(at(2), 4, "statx"),
  mknod: { ...byLink, does: "mknod", mode: 1 },
  mknodat: { ...at(-1, false), does: "mknod", mode: 2 },
};

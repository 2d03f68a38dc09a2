import { ERRNO } from "../../ffi/constants/errno.ts";
import { ACCESS, AT, S } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type FileStatus, linkStat, readText } from "../../ffi/file.ts";
import { attempt, failure } from "../../ffi/libc.ts";
import { StateError } from "./error.ts";

/** Where bunc keeps its containers when the user is root. */
export const systemRoot = "/run/bunc";

/** What the choice of a state root depends on; tests answer in the place of the machine. */
export interface RootProbe {
  /** Effective user id, as this user namespace numbers it. */
  readonly euid: number;
  /** $XDG_RUNTIME_DIR. Callers may set it to the empty string, which means unset. */
  readonly runtimeDirectory: string | undefined;
  /** $TMPDIR. */
  readonly temporaryDirectory: string | undefined;
  /** The same user's id in the parent user namespace. */
  outerUid(): number;
  /** True for a directory that this user can make files in. */
  writable(path: string): boolean;
  /** Status of a path, of the link itself when it is one; undefined when nothing is there or it may not be seen. */
  status(path: string): Pick<FileStatus, "mode" | "uid"> | undefined;
  /** Makes a directory; false when this user may not. Throws SyscallError for any other reason than EEXIST. */
  make(path: string, mode: number): boolean;
}

function isOwnDirectory(probe: RootProbe, path: string): boolean {
  const status = probe.status(path);
  return status !== undefined && (status.mode & S.IFMT) === S.IFDIR && status.uid === probe.euid;
}

/**
 * Root's place, unless this root is none to speak of: uid 0 of a user namespace that may not use the machine's /run
 * (rootless buildah and podman run bunc so), or one whose /run is read-only. Somebody else cannot have prepared it: /run
 * belongs to root everywhere.
 */
function systemCandidate(probe: RootProbe, make: boolean): string | undefined {
  if (probe.euid !== 0) return undefined;
  if (probe.writable(systemRoot)) return systemRoot;
  return make && probe.make(systemRoot, 0o700) && probe.writable(systemRoot) ? systemRoot : undefined;
}

/** A session's own directory. After `su` the variable may still name that of another user, which is not ours to use. */
function sessionPath(probe: RootProbe): string | undefined {
  const directory = probe.runtimeDirectory;
  if (!directory?.startsWith("/") || !isOwnDirectory(probe, directory)) return undefined;
  return `${withoutSlash(directory)}/bunc`;
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

/** A directory that others cannot have prepared, and cannot replace: where they may write too, it must be sticky. */
function isPrivate(probe: RootProbe, path: string): boolean {
  const status = probe.status(path);
  if (status === undefined || (status.mode & S.IFMT) !== S.IFDIR) return false;
  if (status.uid !== probe.euid || (status.mode & 0o077) !== 0) return false;
  // With its slash it is what a link leads to: /tmp itself may be one.
  const above = probe.status(path.slice(0, path.lastIndexOf("/") + 1));
  return above !== undefined && ((above.mode & 0o022) === 0 || (above.mode & S.ISVTX) !== 0);
}

/**
 * Where a directory that nobody else can have made for us may be: in /tmp, and where there can be none, in $TMPDIR. That
 * comes second: the name must be the same for every later command, and callers such as podman hand $TMPDIR down to some
 * of them only.
 */
function privatePaths(probe: RootProbe): string[] {
  const name = `bunc-${probe.outerUid()}`;
  const other = probe.temporaryDirectory;
  return [`/tmp/${name}`, ...(other?.startsWith("/") ? [`${withoutSlash(other)}/${name}`] : [])];
}

/**
 * The directory that holds the containers when --root does not say: /run/bunc for root, else $XDG_RUNTIME_DIR/bunc,
 * else /tmp/bunc-UID, else $TMPDIR/bunc-UID. Every command of one user comes to the same answer, whether it makes the
 * directory or only looks for it.
 * @param make whether to make it (create and run) or only to name it
 * @throws StateError "invalid" when no directory is private; SyscallError
 */
export function chooseRoot(probe: RootProbe, make: boolean): string {
  const system = systemCandidate(probe, make);
  if (system !== undefined) return system;
  const session = sessionPath(probe);
  if (session !== undefined) {
    // Sticky: the XDG specification lets a cleaner remove old files of the runtime directory that are not.
    if (make) probe.make(session, 0o1700);
    if (probe.writable(session)) return session;
  }
  const paths = privatePaths(probe);
  for (const path of paths) {
    if (make) probe.make(path, 0o700);
    if (probe.writable(path) && isPrivate(probe, path)) return path;
  }
  const [usual = ""] = paths;
  // There are no containers yet, or only such as may be looked at.
  if (!make && (session !== undefined || probe.status(usual) === undefined)) return session ?? usual;
  throw new StateError(
    "invalid",
    `${paths.join(" and ")} ${paths.length > 1 ? "are no directories" : "is not a directory"} of this user's alone; set XDG_RUNTIME_DIR or pass --root`,
  );
}

const refusals: readonly number[] = [ERRNO.EACCES, ERRNO.EPERM, ERRNO.EROFS, ERRNO.ENOENT];

/** Makes one directory. True when it is there afterwards, false when this user may not make it. */
function makeDirectory(path: string, mode: number): boolean {
  const result = attempt.mkdirat(AT.FDCWD, path, mode);
  if (result >= 0 || result === -ERRNO.EEXIST) return true;
  if (refusals.includes(-result)) return false;
  throw failure("mkdirat", [AT.FDCWD, path, mode], -result);
}

/** The user's id as the machine knows it; the own one where /proc does not tell. */
function outerUid(euid: number): number {
  try {
    return translateUid(readText("/proc/self/uid_map"), euid);
  } catch (error) {
    if (error instanceof SyscallError) return euid;
    throw error;
  }
}

/** The outer end of the first range of /proc/self/uid_map that holds `uid`; `uid` itself without one. */
export function translateUid(map: string, uid: number): number {
  for (const line of map.split("\n")) {
    const [inside = Number.NaN, outside = Number.NaN, length = 0] = line.trim().split(/\s+/).map(Number);
    if (uid >= inside && uid < inside + length) return outside + uid - inside;
  }
  return uid;
}

const machine = (): RootProbe => {
  const euid = attempt.geteuid();
  return {
    euid,
    runtimeDirectory: process.env.XDG_RUNTIME_DIR,
    temporaryDirectory: process.env.TMPDIR,
    outerUid: () => outerUid(euid),
    // Effective ids: those that later calls are made with.
    writable: (path) => attempt.faccessat2(AT.FDCWD, path, ACCESS.W_OK | ACCESS.X_OK, AT.EACCESS) === 0,
    status(path) {
      try {
        return linkStat(path);
      } catch (error) {
        if (error instanceof SyscallError) return undefined;
        throw error;
      }
    },
    make: makeDirectory,
  };
};

/** Makes a directory and those above it. Throws SyscallError. */
function makeTree(path: string): void {
  for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
    const part = end < 0 ? path : path.slice(0, end);
    const result = attempt.mkdirat(AT.FDCWD, part, end < 0 ? 0o700 : 0o755);
    // What cannot be made above may well be there: a read-only or foreign /run. Only the last one decides.
    if (end < 0 && result < 0 && result !== -ERRNO.EEXIST) {
      throw failure("mkdirat", [AT.FDCWD, part, 0o700], -result);
    }
    if (end < 0) return;
  }
}

/**
 * The directory that holds the containers.
 * @param root what --root says, seen from the current directory; undefined for the user's own
 * @param make whether to make it (create and run) or only to name it
 * @throws StateError "invalid", SyscallError
 */
export function stateRoot(root: string | undefined, make: boolean): string {
  if (root === undefined) return chooseRoot(machine(), make);
  if (make) makeTree(root);
  return root;
}

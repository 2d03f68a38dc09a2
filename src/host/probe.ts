import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, O, RESOLVE, S } from "../../ffi/constants/file.ts";
import { OPEN_TREE } from "../../ffi/constants/mount.ts";
import { PR, RLIMIT, SECCOMP } from "../../ffi/constants/process.ts";
import { SECCOMP_RET } from "../../ffi/constants/seccomp.ts";
import { SyscallError } from "../../ffi/error.ts";
import { Descriptor, exists, readInto, readLink, readText, stat } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { decodeText } from "../../ffi/memory.ts";
import { CAP_DATA_SIZE, capHeader, readCapData } from "../../ffi/structs/capability.ts";
import { OPEN_HOW_SIZE, openHow } from "../../ffi/structs/open-how.ts";
import { type CgroupLayout, parseCgroupLayout } from "../linux/cgroups/layout.ts";
import type { HostFacts, SecurityModules } from "../plan/facts.ts";
import type { Bundle, PlanOptions } from "../plan/types.ts";
import type { Config } from "../spec/types.ts";

/** Asks the machine what a plan of this bundle depends on, and no more. */
export function probeHost({ path, config }: Bundle, manager: PlanOptions["cgroupManager"]): HostFacts {
  const { effective } = probeCapabilities();
  const uidMap = readOr("/proc/self/uid_map", "");
  const inUserNamespace = !isWholeMap(uidMap);
  const uid = libc.geteuid();
  const cgroupLayout: CgroupLayout = manager === "disabled" ? { kind: "none" } : probeCgroupLayout();
  const lastCapability = probeLastCapability();
  const userNamespace = findUserNamespace(config.linux?.namespaces);
  const joined = processOfJoined(userNamespace);
  return {
    arch: process.arch === "arm64" ? "arm64" : "x64",
    uid,
    gid: libc.getegid(),
    effective,
    bounding: config.process?.capabilities ? probeBoundingSet(lastCapability) : 0n,
    lastCapability,
    inUserNamespace,
    ownsMounts: !inUserNamespace || probeMounts(),
    mappedIds: inUserNamespace ? countIds(uidMap) : 2 ** 32 - 1,
    joinedIds: probeJoinedIds(joined),
    seccompFilters: probeSeccompFilters(),
    apt: (userNamespace !== undefined || inUserNamespace) && hasApt(path, config.root.path),
    securityModules: probeSecurity(config),
    setgroupsDenied: readOr(`${joined ?? "/proc/self"}/setgroups`, "allow").startsWith("deny"),
    kcore: exists("/proc/kcore"),
    callerFiles: probeCallerFiles(),
    openFiles: (config.mounts?.length ?? 0) > fewMounts ? readLimit(0) : undefined,
    cgroupLayout,
    systemd: manager === "systemd" ? askSystemd(cgroupLayout, uid !== 0 || inUserNamespace) : unasked,
    resctrl: config.linux?.intelRdt ? probeResctrl() : "",
    ownStreams: ownStreams(),
    directoryModes: probeDirectoryModes(path, config.root.path, config.mounts ?? []),
    links: probeLinks(path, config.mounts),
    passwd: needsHome(config.process?.env) ? readPasswd(path, config.root.path, config.mounts ?? []) : "",
  };
}

/** @param config as far as it asks for labels: otherwise nothing is looked up */
export function probeSecurity({ process, linux }: Pick<Config, "process" | "linux">): SecurityModules {
  if (!process?.selinuxLabel && !process?.apparmorProfile && !linux?.mountLabel)
    return { selinux: false, apparmor: false };
  const { probeSecurityModules } = require("./probe-security.ts") as typeof import("./probe-security.ts");
  return probeSecurityModules();
}

/** Their sources are open at once under any limit of open files that the engine runs with. */
const fewMounts = 32;

/** The text of a file of /proc; `otherwise` where /proc is masked or the kernel has no such file. */
export function readOr(path: string, otherwise: string): string {
  try {
    return readText(path);
  } catch {
    return otherwise;
  }
}

/** The initial user namespace maps every id to itself; without /proc it is taken for that one. user_namespaces(7). */
export function isWholeMap(map: string): boolean {
  const text = map.trim();
  // As the kernel writes it, seq_printf("%10u %10u %10u"): the first regular expression takes 0.08 ms.
  return text === "" || text === "0          0 4294967295";
}

/** Ids that a uid_map maps; all of them when there is none to read. */
export function countIds(map: string): number {
  const lines = map.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) return 2 ** 32 - 1;
  return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[2]), 0);
}

type Namespace = NonNullable<NonNullable<Config["linux"]>["namespaces"]>[number];

// Loops, here and below, for create's sake: each of the engine's methods that take a function takes it 0.1 ms at first.
function findUserNamespace(namespaces: readonly Namespace[] = []): Namespace | undefined {
  for (const namespace of namespaces) if (namespace.type === "user") return namespace;
  return undefined;
}

/**
 * The directory in /proc of a process whose user namespace is joined: it tells what the namespace maps and permits. Of one
 * that was bound to another place only a process in it could tell.
 */
function processOfJoined(user: Namespace | undefined): string | undefined {
  const path = user?.path;
  const end = "/ns/user";
  return path?.startsWith("/proc/") && path.endsWith(end) ? path.slice(0, -end.length) : undefined;
}

function probeJoinedIds(joined: string | undefined): number | undefined {
  const map = joined === undefined ? "" : readOr(`${joined}/uid_map`, "");
  return map === "" ? undefined : countIds(map);
}

/** seccomp(2), SECCOMP_GET_ACTION_AVAIL: an error where filters are not compiled in. Linux 4.14. */
function probeSeccompFilters(): boolean {
  const action = new Uint8Array(Uint32Array.of(SECCOMP_RET.ERRNO).buffer);
  return attempt.seccomp(SECCOMP.GET_ACTION_AVAIL, 0, action) >= 0;
}

function hasApt(bundle: string, root: string): boolean {
  using directory = openRoot(bundle, root);
  using apt = openInRoot(directory, "/etc/apt", O.PATH | O.DIRECTORY);
  return apt !== undefined;
}

/** Our own sets of capabilities. */
export function probeCapabilities() {
  const data = new Uint8Array(CAP_DATA_SIZE);
  libc.capget(capHeader(), data);
  return readCapData(data);
}

const newestCapability = 63;
const oldestLast = 37;

/** Whether the mounts around belong to this user namespace; `unshare --user` alone leaves them to another. */
function probeMounts(): boolean {
  const tree = attempt.open_tree(AT.FDCWD, "/", OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC);
  if (tree < 0) return tree !== -ERRNO.EPERM;
  attempt.close(tree);
  return true;
}

const boundingSetField = "CapBnd:\t";

/** The last capability that the kernel has: the number after it is refused. prctl(2), PR_CAPBSET_READ. */
export function probeLastCapability(): number {
  let last = oldestLast;
  while (last < newestCapability && attempt.prctl(PR.CAPBSET_READ, last + 1, 0, 0, 0) >= 0) last++;
  return last;
}

/** The bounding set, a bit for each capability. proc_pid_status(5), CapBnd: 16 digits; where /proc is missing, prctl(2). */
export function probeBoundingSet(last: number, status = readOr("/proc/self/status", "")): bigint {
  const line = status.indexOf(boundingSetField);
  if (line >= 0) {
    const digits = line + boundingSetField.length;
    return BigInt(`0x${status.slice(digits, digits + 16)}`);
  }
  let set = 0n;
  for (let number = 0; number <= last; number++) {
    if (attempt.prctl(PR.CAPBSET_READ, number, 0, 0, 0) === 1) set |= 1n << BigInt(number);
  }
  return set;
}

/**
 * The executable leaves our limit as the caller's is (bin/caller-limits.ts). A Bun that runs bunc from its source has
 * raised its soft limit to the hard one before any of our code runs, and tells nobody what it was. The parent's is what
 * a child inherits unless somebody changes it in between, so that is taken.
 */
export function probeCallerFiles(): HostFacts["callerFiles"] {
  if (Bun.isStandaloneExecutable) return "inherited";
  const own = readLimit(0);
  const parent = readLimit(libc.getppid());
  if (!own || !parent || parent.soft >= own.hard) return "inherited";
  return { soft: parent.soft, hard: own.hard };
}

function readLimit(pid: number): { soft: bigint; hard: bigint } | undefined {
  const limits = new Uint8Array(16);
  if (attempt.prlimit64(pid, RLIMIT.NOFILE, null, limits) < 0)
    return pid === 0 ? undefined : readLimitFile(pid);
  const view = new DataView(limits.buffer);
  return { soft: view.getBigUint64(0, true), hard: view.getBigUint64(8, true) };
}

/** /proc/PID/limits is for everybody to read, prlimit(2) of another user's process is not. */
function readLimitFile(pid: number): { soft: bigint; hard: bigint } | undefined {
  const line = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readOr(`/proc/${pid}/limits`, ""));
  return line?.[1] && line[2] ? { soft: BigInt(line[1]), hard: BigInt(line[2]) } : undefined;
}

const unasked: HostFacts["systemd"] = { kind: "unasked" };

function askSystemd(layout: CgroupLayout, user: boolean): HostFacts["systemd"] {
  const { probeSystemd } =
    require("../linux/cgroups/systemd/probe.ts") as typeof import("../linux/cgroups/systemd/probe.ts");
  return probeSystemd(layout, user);
}

function probeCgroupLayout(): CgroupLayout {
  return parseCgroupLayout(readOr("/proc/self/mountinfo", ""), readOr("/proc/self/cgroup", ""));
}

function probeResctrl(): string {
  const { findResctrl } =
    require("../linux/intel-rdt/mountpoint.ts") as typeof import("../linux/intel-rdt/mountpoint.ts");
  return findResctrl(readOr("/proc/self/mountinfo", ""));
}

/** Which of the three standard streams the container may be given. */
export function ownStreams(): number[] {
  const own: number[] = [];
  for (const fd of [0, 1, 2]) if (isOwnStream(fd)) own.push(fd);
  return own;
}

/** A stream that belongs to nobody but the container: giving away a device node or a file would change it for others. */
function isOwnStream(fd: number): boolean {
  try {
    const type = stat(fd).mode & S.IFMT;
    return type === S.IFIFO || type === S.IFSOCK;
  } catch {
    return false;
  }
}

export function needsHome(env: readonly string[] | undefined): boolean {
  return env !== undefined && !env.some((entry) => entry.startsWith("HOME="));
}

interface MountEntry {
  readonly destination: string;
  readonly source?: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

/** The passwd file that the container will see: one bound over it, or the image's. */
export function readPasswd(bundle: string, root: string, mounts: readonly MountEntry[]): string {
  let bound: string | undefined;
  for (const { destination, source } of mounts) if (destination === "/etc/passwd" && source) bound = source;
  if (bound) return readOr(seenFrom(bundle, bound), "");
  using directory = openRoot(bundle, root);
  using file = openInRoot(directory, "/etc/passwd", O.RDONLY | O.NONBLOCK | O.NOCTTY);
  return file && (stat(file.fd).mode & S.IFMT) === S.IFREG ? readLimited(file.fd) : "";
}

/** Larger than any passwd(5) that people keep; what an image offers may be endless. */
const passwdLimit = 1 << 20;

function readLimited(fd: number): string {
  const bytes = new Uint8Array(passwdLimit);
  return decodeText(bytes, readInto(fd, bytes));
}

/**
 * Permission bits of the image's directories that a tmpfs without a mode of its own is to be mounted on: it takes them
 * over, as it does in runc and crun.
 */
function probeDirectoryModes(
  bundle: string,
  root: string,
  mounts: readonly MountEntry[],
): ReadonlyMap<string, number> {
  const modes = new Map<string, number>();
  const wanted = mounts.filter(
    ({ type, options }) => type === "tmpfs" && !options?.some((option) => /(^|,)mode=/.test(option)),
  );
  if (wanted.length === 0) return modes;
  using directory = openRoot(bundle, root);
  for (const { destination } of wanted) {
    using target = openInRoot(directory, destination, O.PATH | O.DIRECTORY);
    if (target) modes.set(destination, stat(target.fd).mode & 0o7777);
  }
  return modes;
}

const noLinks: ReadonlyMap<string, string> = new Map();

/** Sources with copy-symlink that are symbolic links, and where they lead. */
function probeLinks(bundle: string, mounts: readonly MountEntry[] | undefined): ReadonlyMap<string, string> {
  let links: Map<string, string> | undefined;
  for (const { source, options } of mounts ?? []) {
    if (source === undefined || !options?.includes("copy-symlink")) continue;
    try {
      links ??= new Map();
      links.set(source, readLink(seenFrom(bundle, source)));
    } catch (error) {
      // It is no link, or it is missing: then the bind mount says so.
      if (!(error instanceof SyscallError)) throw error;
    }
  }
  return links ?? noLinks;
}

function seenFrom(bundle: string, path: string): string {
  return path.startsWith("/") ? path : `${bundle}/${path}`;
}

function openRoot(bundle: string, root: string): Descriptor | undefined {
  const flags = O.PATH | O.DIRECTORY | O.CLOEXEC;
  const fd = attempt.openat(AT.FDCWD, seenFrom(bundle, root), flags, 0);
  return fd < 0 ? undefined : new Descriptor(fd);
}

/** undefined when it is missing or may not be opened: then the program finds out, and says why. */
function openInRoot(root: Descriptor | undefined, path: string, flags: number): Descriptor | undefined {
  if (!root) return undefined;
  const how = openHow(flags | O.CLOEXEC, 0, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
  const fd = attempt.openat2(root.fd, path, how, OPEN_HOW_SIZE);
  return fd < 0 ? undefined : new Descriptor(fd);
}

import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, S } from "../../ffi/constants/file.ts";
import { OPEN_TREE } from "../../ffi/constants/mount.ts";
import { SECCOMP } from "../../ffi/constants/process.ts";
import { SECCOMP_RET } from "../../ffi/constants/seccomp.ts";
import { exists, stat } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { type CgroupLayout, parseCgroupLayout } from "../linux/cgroups/layout.ts";
import type { HostFacts, SecurityModules } from "../plan/facts.ts";
import type { Bundle, PlanOptions } from "../plan/types.ts";
import type { Config } from "../spec/types.ts";
import { probeBoundingSet, probeCapabilities, probeLastCapability } from "./capabilities.ts";
import { hasApt, needsHome, probeDirectoryModes, probeLinks, readPasswd } from "./image.ts";
import { probeCallerFiles, readLimit } from "./open-files.ts";
import { readOr } from "./read.ts";

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
  const action = new Uint8Array(new Uint32Array([SECCOMP_RET.ERRNO]).buffer);
  return attempt.seccomp(SECCOMP.GET_ACTION_AVAIL, 0, action) >= 0;
}

/** Whether the mounts around belong to this user namespace; `unshare --user` alone leaves them to another. */
function probeMounts(): boolean {
  const tree = attempt.open_tree(AT.FDCWD, "/", OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC);
  if (tree < 0) return tree !== -ERRNO.EPERM;
  attempt.close(tree);
  return true;
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

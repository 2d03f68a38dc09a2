import { CAP } from "../../ffi/constants/capability.ts";
import { MOUNT_ATTR } from "../../ffi/constants/mount.ts";
import { planCapabilities } from "../linux/capabilities/plan.ts";
import { cgroupOwner } from "../linux/cgroups/owner.ts";
import { planCgroup } from "../linux/cgroups/plan.ts";
import { keepsGroups, planCredentials } from "../linux/credentials/plan.ts";
import { planDevices } from "../linux/devices/plan.ts";
import { homeOf, type PlannedExecution, planExecution } from "../linux/execution/plan.ts";
import { planHooks } from "../linux/hooks/plan.ts";
import { planIdmap } from "../linux/idmap/plan.ts";
import { notifyMount, notifyVariable } from "../linux/mounts/notify.ts";
import { type MountContext, type PlannedMount, planMounts } from "../linux/mounts/plan.ts";
import { planNamespaces, planTimeOffsets } from "../linux/namespaces/plan.ts";
import { planNetDevices } from "../linux/netdevices/plan.ts";
import { planRlimits, planSetUpLimits } from "../linux/rlimits/plan.ts";
import { environmentOf, planRootEmulation } from "../linux/root-emulation/plan.ts";
import { planRootfs, type RootSwitch } from "../linux/rootfs/plan.ts";
import { emulationFilter } from "../linux/seccomp/emulation.ts";
import { isListening, planAgent, planSeccomp } from "../linux/seccomp/plan.ts";
import { planSysctl } from "../linux/sysctl/plan.ts";
import { planTerminal } from "../linux/terminal/plan.ts";
import { quote } from "../spec/describe.ts";
import { hasVariable } from "../spec/environment.ts";
import { resourcesOf } from "../spec/older.ts";
import { cleanPath, cleanPaths } from "../spec/path.ts";
import type { Linux, Process } from "../spec/types.ts";
import type { HostFacts } from "./facts.ts";
import { seldomOf } from "./seldom.ts";
import type { Bundle, Plan, PlanOptions } from "./types.ts";

/** A container without a process runs nothing; it has root's ids while it waits. */
const nobody = { uid: 0, gid: 0 } as const;

/**
 * Decides everything. Pure: the same bundle, facts and options give the same plan.
 * Throws SpecError for what cannot be done with these facts.
 */
export function resolve({ path, config }: Bundle, facts: HostFacts, options: PlanOptions): Plan {
  const linux: Linux = config.linux ?? {};
  const { process } = config;
  const user = process?.user ?? nobody;
  const namespaces = planNamespaces(linux.namespaces ?? []);
  const newUserNamespace = namespaces.user.kind === "new";
  const userNamespace = facts.inUserNamespace || namespaces.user.kind !== "inherit";
  const idmap = planIdmap(linux.uidMappings ?? [], linux.gidMappings ?? [], {
    newUserNamespace,
    uid: facts.uid,
    gid: facts.gid,
    maySetIds: has(facts, CAP.CAP_SETUID) && has(facts, CAP.CAP_SETGID),
  });
  const cgroup = planCgroup(
    { cgroupsPath: linux.cgroupsPath, resources: resourcesOf(config), annotations: config.annotations ?? {} },
    {
      id: options.id,
      layout: facts.cgroupLayout,
      // Without CAP_SYS_ADMIN, as root of an outer container often is, there are no device nodes and no rules for them.
      privileged:
        facts.uid === 0 &&
        !facts.inUserNamespace &&
        has(facts, CAP.CAP_SYS_ADMIN) &&
        options.rootless !== true,
      manager: options.cgroupManager,
      owner: cgroupOwner({
        newCgroupNamespace: namespaces.cgroup.kind === "new",
        mounts: config.mounts ?? [],
        uid: hostUid(user.uid, namespaces.user.kind, linux),
        caller: facts.uid,
      }),
      systemd: facts.systemd,
    },
  );
  // A root that is mapped to somebody else may not see what the caller sees.
  const ownsMounts = has(facts, CAP.CAP_SYS_ADMIN) && facts.ownsMounts;
  const openEarly = newUserNamespace && namespaces.mount.kind === "new" && ownsMounts;
  const seldom = seldomOf(process, linux, facts);
  const mountLabel = seldom === null ? "" : seldom.selinux.mount;
  const mountContext: MountContext = {
    bundle: path,
    userNamespace,
    openEarly,
    links: facts.links,
    ids: { kind: namespaces.user.kind, uid: linux.uidMappings ?? [], gid: linux.gidMappings ?? [] },
    ownsMounts,
    directoryModes: facts.directoryModes,
    label: mountLabel,
    ownQueues: namespaces.ipc.kind === "new",
    pidInherited: namespaces.pid.kind === "inherit",
    cgroupNamespace: namespaces.cgroup.kind !== "inherit",
    cgroupView: cgroup.containerView,
  };
  // Without a mount namespace of its own the container would leave the mount to the caller.
  const notify = options.notifyDirectory !== undefined && namespaces.mount.kind === "new";
  const mounts = planMounts(config.mounts ?? [], mountContext);
  if (options.notifyDirectory !== undefined && notify)
    mounts.push(notifyMount(options.notifyDirectory, mountContext));
  const { capabilities, warnings } = planCapabilities(process?.capabilities, {
    available: newUserNamespace ? allUpTo(facts.lastCapability) : facts.bounding,
    last: facts.lastCapability,
  });
  const noNewPrivileges = process?.noNewPrivileges ?? false;
  const seccomp = planSeccomp(linux.seccomp, facts);
  const { emulation, warnings: emulationWarnings } = planRootEmulation({
    option: options.rootEmulation,
    annotations: config.annotations,
    realRoot: !userNamespace,
    ids: mappedIds(namespaces.user.kind, linux, facts),
    owner: namespaces.user.kind === "inherit" ? facts.uid : linux.uidMappings?.[0]?.hostID,
    caller: facts,
    filters: facts.seccompFilters,
    agent: isListening(seccomp),
    startHooks: (config.hooks?.startContainer ?? []).length > 0,
    // Who joins a user namespace has all capabilities in it, as in a new one.
    mayLoad: noNewPrivileges || namespaces.user.kind !== "inherit" || has(facts, CAP.CAP_SYS_ADMIN),
    apt: facts.apt && isOwnDev(mounts) && !hasVariable(process?.env, "APT_CONFIG"),
  });
  const execution = planProcess(process, facts, {
    defaults: environmentOf(emulation),
    forced: [...listenVariables(options.listenFds), ...(notify ? [notifyVariable] : [])],
  });
  return Object.freeze({
    id: options.id,
    bundle: path,
    annotations: config.annotations ?? {},
    namespaces,
    timeOffsets: planTimeOffsets(linux.timeOffsets ?? {}),
    idmap,
    netDevices: planNetDevices(linux.netDevices),
    rootfs: planRootfs(
      absolute(path, config.root.path),
      config.root.readonly ?? false,
      linux.rootfsPropagation,
      rootSwitch(options.noPivot, namespaces.mount.kind),
      openEarly,
    ),
    mounts,
    devices: planDevices(linux.devices ?? [], {
      userNamespace,
      kcore: facts.kcore,
      devBound: bindsDev(mounts),
    }),
    masks: {
      masked: cleanPaths(linux.maskedPaths),
      readonly: cleanPaths(linux.readonlyPaths),
      label: mountLabel,
    },
    names: { hostname: config.hostname ?? "", domainname: config.domainname ?? "" },
    sysctl: planSysctl(linux.sysctl ?? {}),
    terminal: planTerminal(process?.terminal ?? false, process?.consoleSize, user.uid),
    cgroup,
    intelRdt: linux.intelRdt
      ? rareIntelRdt().planIntelRdt(linux.intelRdt, { id: options.id, mountpoint: facts.resctrl })
      : null,
    seccomp,
    agent: planAgent(linux.seccomp, seccomp),
    rootEmulation: emulation,
    emulation: emulationFilter(emulation.kind, facts),
    credentials: planCredentials(user, noNewPrivileges, {
      // A new user namespace inherits the denial.
      setgroupsDenied:
        facts.setgroupsDenied || (newUserNamespace && idmap.kind !== "none" && idmap.setgroups === "deny"),
      keepGroups: keepsGroups(config.annotations, options.keepGroups),
      newKeyring: options.newKeyring,
      id: options.id,
      ownStreams: facts.ownStreams,
    }),
    capabilities,
    setUpLimits: planSetUpLimits(
      countEarly(mounts) + options.listenFds + options.preserveFds,
      facts.openFiles,
    ),
    rlimits: planRlimits(process?.rlimits ?? [], facts),
    oomScoreAdj: process?.oomScoreAdj,
    execution,
    seldom,
    hooks: planHooks(config.hooks, { processEnv: execution.kind === "execute" ? execution.env : [] }),
    preserveFds: options.listenFds + options.preserveFds,
    notify,
    warnings: [
      ...warnings,
      ...emulationWarnings,
      ...(facts.systemd.kind === "missing"
        ? [`--systemd-cgroup: ${facts.systemd.cause}; the cgroups are made without it`]
        : []),
      ...ignoredOptions(mounts),
      ...(seldom === null ? [] : seldom.warnings),
      ...(options.notifyDirectory !== undefined && !notify
        ? ["NOTIFY_SOCKET is not passed on: the container has no mount namespace of its own to put it into"]
        : []),
    ],
  });
}

/** Tells the process of its sockets. As in runc it is pid 1, whatever its namespace: which pid it gets is not known yet. */
function listenVariables(count: number): readonly string[] {
  return count === 0 ? [] : [`LISTEN_FDS=${count}`, "LISTEN_PID=1"];
}

/** Entries of the environment beside the process's own ones, which win over the defaults and give way to the forced. */
interface Surrounding {
  readonly defaults: readonly string[];
  readonly forced: readonly string[];
}

function planProcess(
  process: Process | undefined,
  facts: HostFacts,
  { defaults, forced }: Surrounding,
): PlannedExecution {
  if (!process) return { kind: "none" };
  const home = homeOf(facts.passwd, process.user.uid);
  const env = [...defaults, ...(process.env ?? []), ...forced];
  return planExecution(process.args ?? [], env, cleanPath(process.cwd), { home });
}

function countEarly(mounts: readonly PlannedMount[]): number {
  let count = 0;
  for (const { openEarly } of mounts) if (openEarly) count++;
  return count;
}

/** How many user ids the container's user namespace maps; undefined for one that is joined and cannot be looked at. */
function mappedIds(user: "new" | "join" | "inherit", linux: Linux, facts: HostFacts): number | undefined {
  if (user === "join") return facts.joinedIds;
  if (user === "inherit") return facts.mappedIds;
  return (linux.uidMappings ?? []).reduce((sum, { size }) => sum + size, 0);
}

/** Warnings of options that have no effect. A loop: flatMap takes 0.1 ms when it is used first. */
function ignoredOptions(mounts: readonly Pick<PlannedMount, "origin" | "ignored">[]): string[] {
  const warnings: string[] = [];
  for (const { origin, ignored } of mounts) {
    for (const option of ignored) {
      warnings.push(`${origin}.options: ${quote(option)} has no effect on a mount of this kind`);
    }
  }
  return warnings;
}

/** Few have a room that need not be loaded. */
function rareIntelRdt() {
  return require("../linux/intel-rdt/plan.ts") as typeof import("../linux/intel-rdt/plan.ts");
}

/** A uid of the container as the caller sees it; undefined for one that is not mapped, or in a namespace that is joined. */
function hostUid(uid: number, user: "new" | "join" | "inherit", linux: Linux): number | undefined {
  if (user !== "new") return user === "inherit" ? uid : undefined;
  for (const { containerID, hostID, size } of linux.uidMappings ?? []) {
    if (uid >= containerID && uid < containerID + size) return hostID + uid - containerID;
  }
  return undefined;
}

/** /dev is a tmpfs of the container's own, and not read-only. */
function isOwnDev(mounts: readonly PlannedMount[]): boolean {
  const dev = mounts.findLast(({ target }) => target === "/dev");
  return (
    dev?.source.kind === "filesystem" &&
    dev.source.type === "tmpfs" &&
    (dev.attributes.set & MOUNT_ATTR.RDONLY) === 0
  );
}

function bindsDev(mounts: readonly PlannedMount[]): boolean {
  for (const { target, source } of mounts) if (target === "/dev" && source.kind === "bind") return true;
  return false;
}

function rootSwitch(noPivot: boolean, mount: "new" | "join" | "inherit"): RootSwitch {
  if (mount === "inherit") return "chroot";
  return noPivot ? "move" : "pivot";
}

function absolute(bundle: string, path: string): string {
  return cleanPath(path.startsWith("/") ? path : `${bundle}/${path}`);
}

function has(facts: HostFacts, capability: number): boolean {
  return ((facts.effective >> BigInt(capability)) & 1n) === 1n;
}

function allUpTo(last: number): bigint {
  return (1n << BigInt(last + 1)) - 1n;
}

/** The config.json that tests start from, and the types of as much of it as they change. */

export interface Mount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
}

export interface IdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

export interface DeviceRule {
  allow: boolean;
  type?: string;
  major?: number;
  minor?: number;
  access?: string;
}

export interface Device {
  type: string;
  path: string;
  major?: number;
  minor?: number;
  fileMode?: number;
  uid?: number;
  gid?: number;
}

export interface SyscallRule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[];
}

export interface Seccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls?: SyscallRule[];
}

export interface Hook {
  path: string;
  args?: string[];
  env?: string[];
  timeout?: number;
}

export type HookName =
  | "prestart"
  | "createRuntime"
  | "createContainer"
  | "startContainer"
  | "poststart"
  | "poststop";

type CapabilitySet = "bounding" | "effective" | "permitted" | "inheritable" | "ambient";

export interface Resources {
  devices?: DeviceRule[];
  memory?: Record<string, number | boolean>;
  cpu?: Record<string, number | string>;
  pids?: { limit: number };
  blockIO?: Record<string, unknown>;
  hugepageLimits?: { pageSize: string; limit: number }[];
  network?: { classID?: number; priorities?: { name: string; priority: number }[] };
  rdma?: Record<string, { hcaHandles?: number; hcaObjects?: number }>;
  unified?: Record<string, string>;
}

export interface Config {
  ociVersion: string;
  root: { path: string; readonly?: boolean };
  process: {
    terminal?: boolean;
    consoleSize?: { height: number; width: number };
    user: { uid: number; gid: number; umask?: number; additionalGids?: number[] };
    args: string[];
    env?: string[];
    cwd: string;
    capabilities?: Partial<Record<CapabilitySet, string[]>>;
    rlimits?: { type: string; soft: number; hard: number }[];
    noNewPrivileges?: boolean;
    oomScoreAdj?: number;
    selinuxLabel?: string;
    apparmorProfile?: string;
    scheduler?: {
      policy: string;
      nice?: number;
      priority?: number;
      flags?: string[];
      runtime?: number;
      deadline?: number;
      period?: number;
    };
    ioPriority?: { class: string; priority: number };
    execCPUAffinity?: { initial?: string; final?: string };
  };
  hostname?: string;
  domainname?: string;
  mounts: Mount[];
  annotations?: Record<string, string>;
  hooks?: Partial<Record<HookName, Hook[]>>;
  linux: {
    namespaces: { type: string; path?: string }[];
    uidMappings?: IdMapping[];
    gidMappings?: IdMapping[];
    devices?: Device[];
    cgroupsPath?: string;
    resources?: Resources;
    rootfsPropagation?: string;
    seccomp?: Seccomp;
    sysctl?: Record<string, string>;
    maskedPaths?: string[];
    readonlyPaths?: string[];
    mountLabel?: string;
    personality?: { domain: string; flags?: string[] };
    memoryPolicy?: { mode: string; nodes?: string; flags?: string[] };
  };
}

/** What a test changes in the config it starts from. */
export type Change = (config: Config) => void;

export const defaultCapabilities = [
  "CAP_CHOWN",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_NET_BIND_SERVICE",
];

/** A small, ordinary config: root in five new namespaces, the usual file systems, `true` as its program. */
export function config(change: Change = () => {}): Config {
  const result: Config = {
    ociVersion: "1.0.2",
    root: { path: "rootfs" },
    process: {
      user: { uid: 0, gid: 0 },
      args: ["true"],
      env: ["PATH=/bin"],
      cwd: "/",
      capabilities: {
        bounding: [...defaultCapabilities],
        effective: [...defaultCapabilities],
        permitted: [...defaultCapabilities],
      },
    },
    hostname: "bunc-test",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755"] },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
      },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
    ],
    linux: {
      namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })),
      resources: { devices: [{ allow: false, access: "rwm" }] },
    },
  };
  change(result);
  return result;
}

/** The same, running a script with busybox's shell. */
export function shell(script: string, change: Change = () => {}): Config {
  return config((result) => {
    result.process.args = ["sh", "-c", script];
    change(result);
  });
}

/** The same, running a program until it is killed. */
export function sleeper(change: Change = () => {}): Config {
  return config((result) => {
    result.process.args = ["sleep", "1000"];
    change(result);
  });
}

/** Removes namespaces from a config: the container stays in the caller's. */
export function inherit(result: Config, ...types: string[]): void {
  result.linux.namespaces = result.linux.namespaces.filter(({ type }) => !types.includes(type));
}

/** Makes a config usable by a plain user: a user namespace in which that user is root. */
export function rootless(result: Config, uid: number, gid: number): void {
  result.linux.namespaces.push({ type: "user" });
  inherit(result, "network");
  result.linux.uidMappings = [{ containerID: 0, hostID: uid, size: 1 }];
  result.linux.gidMappings = [{ containerID: 0, hostID: gid, size: 1 }];
  delete result.linux.resources;
  result.mounts = result.mounts.filter(({ destination }) => destination !== "/sys");
  for (const mount of result.mounts)
    mount.options = mount.options?.filter((option) => option !== "gid=5") ?? [];
}

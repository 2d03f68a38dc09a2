import { expect, test } from "bun:test";
import { SpecError } from "../spec/error.ts";
import { exampleConfig } from "../spec/example.ts";
import { parseConfig } from "../spec/parse.ts";
import { checkBundle } from "./check.ts";

type Changes = Parameters<typeof exampleConfig>[0];

const spaces = (...types: string[]) => ["mount", "pid", ...types].map((type) => ({ type }));
const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const mapped = {
  namespaces: spaces("user"),
  uidMappings: [map(0, 1000, 1), map(1, 100000, 10)],
  gidMappings: [map(0, 1000, 1), map(1, 100000, 10)],
};

/** A profile with an agent: rules of an action and a call each. */
const agent = (defaultAction: string, ...rules: [action: string, name: string][]) => ({
  defaultAction,
  listenerPath: "/agent",
  syscalls: rules.map(([action, name]) => ({ names: [name], action })),
});

const REFUSED: [message: string, changes: Changes][] = [
  ['root.path is "": it must be the path of the root filesystem', { root: { path: "" } }],
  ["process.args is missing: it must be a list that begins with", { process: { args: undefined } }],
  ["process.args is an empty list: it must be", { process: { args: [] } }],
  ['process.args[0] is "": it must be the program to run', { process: { args: ["", "x"] } }],
  ['process.cwd is "tmp": it must be an absolute path, such as /', { process: { cwd: "tmp" } }],
  ['process.cwd is "": it must be an absolute path', { process: { cwd: "" } }],
  ["process.env[1] has no name: it must be NAME=VALUE", { process: { env: ["A=", "B"] } }],
  ["process.env[0] has no name", { process: { env: ["=x"] } }],
  [
    'process.rlimits[0].type is "RLIMIT_FOO": it must be a limit that Linux knows',
    { process: { rlimits: [{ type: "RLIMIT_FOO", soft: 1, hard: 1 }] } },
  ],
  [
    "process.rlimits[1] limits RLIMIT_CORE a second time",
    { process: { rlimits: [1, 2].map((soft) => ({ type: "RLIMIT_CORE", soft, hard: 2 })) } },
  ],
  [
    "process.rlimits[0] has a soft RLIMIT_CORE of 2, above the hard one of 1: it must not exceed it",
    { process: { rlimits: [{ type: "RLIMIT_CORE", soft: 2, hard: 1 }] } },
  ],
  [
    "process.scheduler.priority does not go with SCHED_BATCH",
    { process: { scheduler: { policy: "SCHED_BATCH", priority: 1 } } },
  ],
  ["process.scheduler.nice is 20", { process: { scheduler: { policy: "SCHED_OTHER", nice: 20 } } }],
  [
    "process.scheduler.runtime does not go with SCHED_FIFO",
    { process: { scheduler: { policy: "SCHED_FIFO", runtime: 1 } } },
  ],
  ['annotations has an empty key, with the value "x"', { annotations: { "": "x" } }],
  ["linux.namespaces[2] is a second pid namespace", { linux: { namespaces: spaces("pid") } }],
  [
    'linux.namespaces[0].path is "proc/1/ns/net": it must be an absolute path',
    { linux: { namespaces: [{ type: "network", path: "proc/1/ns/net" }] } },
  ],
  ['hostname needs {"type": "uts"} in linux.namespaces', { hostname: "h" }],
  ['domainname needs {"type": "uts"}', { domainname: "d" }],
  [
    "hostname has 65 bytes: Linux takes 64",
    { hostname: "h".repeat(65), linux: { namespaces: spaces("uts") } },
  ],
  ["domainname has 66 bytes", { domainname: "é".repeat(33), linux: { namespaces: spaces("uts") } }],
  ['linux.maskedPaths needs {"type": "mount"}', { linux: { namespaces: [], maskedPaths: ["/proc/kcore"] } }],
  [
    'linux.readonlyPaths needs {"type": "mount"}',
    { linux: { namespaces: [], readonlyPaths: ["/proc/sys"] } },
  ],
  [
    'linux.rootfsPropagation needs {"type": "mount"}',
    { linux: { namespaces: undefined, rootfsPropagation: "shared" } },
  ],
  [
    'linux.netDevices["a/b"] is no name',
    { linux: { namespaces: spaces("network"), netDevices: { "a/b": {} } } },
  ],
  [
    'linux.netDevices.eth0.name is "0123456789abcdef"',
    { linux: { namespaces: spaces("network"), netDevices: { eth0: { name: "0123456789abcdef" } } } },
  ],
  [
    'linux.netDevices.eth0.name is "eth%s"',
    { linux: { namespaces: spaces("network"), netDevices: { eth0: { name: "eth%s" } } } },
  ],
  [
    'linux.netDevices.b gets the name "a", which linux.netDevices.a gets, too',
    { linux: { namespaces: spaces("network"), netDevices: { a: {}, b: { name: "a" } } } },
  ],
  ['linux.netDevices needs {"type": "network"}', { linux: { netDevices: { eth0: {} } } }],
  ['linux.timeOffsets needs {"type": "time"}', { linux: { timeOffsets: { monotonic: { secs: 1 } } } }],
  [
    "linux.timeOffsets cannot change a time namespace that is joined",
    {
      linux: {
        namespaces: [{ type: "time", path: "/proc/1/ns/time" }],
        timeOffsets: { boottime: { secs: 1 } },
      },
    },
  ],
  [
    "linux.timeOffsets.boottime.secs is -4611686019",
    { linux: { namespaces: spaces("time"), timeOffsets: { boottime: { secs: -4611686019 } } } },
  ],
  ['linux.uidMappings needs {"type": "user"}', { linux: { uidMappings: [map(0, 0, 1)] } }],
  ['linux.gidMappings needs {"type": "user"}', { linux: { gidMappings: [map(0, 0, 1)] } }],
  ["linux.uidMappings is needed: a new user namespace", { linux: { namespaces: spaces("user") } }],
  ["linux.gidMappings is needed", { linux: { ...mapped, gidMappings: [] } }],
  ["linux.uidMappings[0].size is 0", { linux: { ...mapped, uidMappings: [map(0, 0, 0)] } }],
  [
    "linux.gidMappings[0] goes beyond the last id: hostID and size",
    { linux: { ...mapped, gidMappings: [map(0, 4294967295, 1)] } },
  ],
  [
    "linux.uidMappings[1] maps a containerID that linux.uidMappings[0] maps already",
    { linux: { ...mapped, uidMappings: [map(0, 0, 5), map(4, 100, 1)] } },
  ],
  [
    "linux.uidMappings[1] maps a hostID that linux.uidMappings[0] maps already",
    { linux: { ...mapped, uidMappings: [map(0, 100, 5), map(9, 99, 2)] } },
  ],
  [
    "linux.uidMappings has 341 entries: Linux takes 340",
    { linux: { ...mapped, uidMappings: Array.from({ length: 341 }, (_, at) => map(at, at, 1)) } },
  ],
  [
    "process.user.uid is 11: it must be an id that linux.uidMappings maps into the container",
    { process: { user: { uid: 11, gid: 0 } }, linux: mapped },
  ],
  ["process.user.gid is 12", { process: { user: { uid: 10, gid: 12 } }, linux: mapped }],
  [
    "process.user.additionalGids[1] is 13",
    { process: { user: { uid: 10, gid: 10, additionalGids: [0, 13] } }, linux: mapped },
  ],
  ['mounts[0].destination is "": it must be a path', { mounts: [{ destination: "", type: "tmpfs" }] }],
  ["mounts[0].source is missing: it must be the path", { mounts: [{ destination: "/a", type: "bind" }] }],
  ['mounts[0].source is ""', { mounts: [{ destination: "/a", source: "", options: ["ro", "rbind"] }] }],
  ["mounts[0].type is missing", { mounts: [{ destination: "/a", source: "tmpfs" }] }],
  [
    "mounts[1].gidMappings is needed with uidMappings: an id-mapped mount maps both",
    {
      mounts: [
        { destination: "/a", type: "tmpfs" },
        { destination: "/b", type: "bind", source: "/b", uidMappings: [map(0, 1, 1)] },
      ],
    },
  ],
  [
    "mounts[0].uidMappings is needed with gidMappings",
    { mounts: [{ destination: "/b", type: "tmpfs", gidMappings: [map(0, 1, 1)] }] },
  ],
  [
    'linux.maskedPaths[0] is "proc/kcore": it must be an absolute path',
    { linux: { maskedPaths: ["proc/kcore"] } },
  ],
  ['linux.readonlyPaths[1] is "x"', { linux: { readonlyPaths: ["/a", "x"] } }],
  [
    'linux.devices[0].path is "dev/fuse": it must be an absolute path',
    { linux: { devices: [{ type: "c", path: "dev/fuse", major: 10, minor: 229 }] } },
  ],
  [
    "linux.devices[0].minor is missing: it must be a number, for a device of type c",
    { linux: { devices: [{ type: "c", path: "/dev/fuse", major: 10 }] } },
  ],
  [
    'hooks.poststop[0].path is "true": it must be an absolute path',
    { hooks: { poststop: [{ path: "true" }] } },
  ],
  [
    'linux.sysctl["kernel.core_pattern"] belongs to no namespace: setting it would change the host',
    { linux: { sysctl: { "kernel.core_pattern": "|/x" } } },
  ],
  ['linux.sysctl["net.//.kernel.x"] belongs to no', { linux: { sysctl: { "net.//.kernel.x": "1" } } }],
  ["linux.sysctl.net belongs to no namespace", { linux: { sysctl: { net: "1" } } }],
  [
    'linux.sysctl["net.ipv4.ip_forward"] needs {"type": "network"}',
    { linux: { sysctl: { "net.ipv4.ip_forward": "1" } } },
  ],
  ['linux.sysctl["net/ipv4/x"] needs {"type": "network"}', { linux: { sysctl: { "net/ipv4/x": "1" } } }],
  ['linux.sysctl["kernel.shmmax"] needs {"type": "ipc"}', { linux: { sysctl: { "kernel.shmmax": "1" } } }],
  [
    'linux.sysctl["fs.mqueue.msg_max"] needs {"type": "ipc"}',
    { linux: { sysctl: { "fs.mqueue.msg_max": "1" } } },
  ],
  [
    'linux.sysctl["kernel.domainname"] needs {"type": "uts"}',
    { linux: { sysctl: { "kernel.domainname": "x" } } },
  ],
  [
    'linux.sysctl["user.max_user_namespaces"] needs {"type": "user"}',
    { linux: { sysctl: { "user.max_user_namespaces": "1" } } },
  ],
  [
    'linux.sysctl["kernel.hostname"] contradicts hostname: give it in one place',
    { hostname: "a", linux: { namespaces: spaces("uts"), sysctl: { "kernel.hostname": "b" } } },
  ],
  [
    "linux.seccomp.defaultErrnoRet does not go with SCMP_ACT_ALLOW",
    { linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 1 } } },
  ],
  [
    "linux.seccomp.syscalls[0].errnoRet is 4096: it must be a number from 0 to 4095",
    {
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["a"], action: "SCMP_ACT_ERRNO", errnoRet: 4096 }],
        },
      },
    },
  ],
  [
    "linux.seccomp.syscalls[0].names is an empty list",
    {
      linux: {
        seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: [], action: "SCMP_ACT_LOG" }] },
      },
    },
  ],
  [
    "linux.seccomp.listenerPath is needed with listenerMetadata",
    { linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x" } } },
  ],
  [
    "linux.seccomp.syscalls[1] asks for SCMP_ACT_NOTIFY for write, the call by which the agent's descriptor comes to it",
    {
      linux: { seccomp: agent("SCMP_ACT_ALLOW", ["SCMP_ACT_NOTIFY", "mkdir"], ["SCMP_ACT_NOTIFY", "write"]) },
    },
  ],
  [
    "linux.seccomp.defaultAction means SCMP_ACT_NOTIFY for write",
    { linux: { seccomp: agent("SCMP_ACT_NOTIFY", ["SCMP_ACT_ALLOW", "read"]) } },
  ],
  [
    "hooks.startContainer would run under SCMP_ACT_NOTIFY, where nobody answers it",
    {
      hooks: { startContainer: [{ path: "/hook" }] },
      linux: { seccomp: agent("SCMP_ACT_ALLOW", ["SCMP_ACT_NOTIFY", "mkdir"]) },
    },
  ],
  [
    "linux.seccomp.listenerPath is needed with the action SCMP_ACT_NOTIFY",
    {
      linux: {
        seccomp: { defaultAction: "SCMP_ACT_LOG", syscalls: [{ names: ["a"], action: "SCMP_ACT_NOTIFY" }] },
      },
    },
  ],
  [
    'linux.cgroupsPath is "/a/../../b": it must be a path without ..',
    { linux: { cgroupsPath: "/a/../../b" } },
  ],
  ['linux.cgroupsPath is "system.slice:..:x"', { linux: { cgroupsPath: "system.slice:..:x" } }],
  [
    'linux.resources.unified["../memory.max"] names no cgroup file',
    { linux: { resources: { unified: { "../memory.max": "1" } } } },
  ],
  [
    "linux.resources.unified.memory names no cgroup file",
    { linux: { resources: { unified: { memory: "1" } } } },
  ],
  ...["procs", "threads", "freeze", "kill", "type", "subtree_control"].map((name): [string, Changes] => [
    `linux.resources.unified["cgroup.${name}"] is no limit: it must be a file of a controller`,
    { linux: { resources: { unified: { [`cgroup.${name}`]: "1" } } } },
  ]),
  ...["limit", "reservation", "swap", "kernel", "kernelTCP"].map((key): [string, Changes] => [
    `linux.resources.memory.${key} is -2: it must be a number of bytes, or -1 for no limit`,
    { linux: { resources: { memory: { [key]: -2 } } } },
  ]),
  [
    'linux.cgroupsPath is "/a\\nb": it must be a path without line breaks',
    { linux: { cgroupsPath: "/a\nb" } },
  ],
  ["it must be a path of names with 255 bytes at most", { linux: { cgroupsPath: `/${"x".repeat(256)}` } }],
  [
    'linux.devices[0].path is "/./": it must be a path below the root',
    { linux: { devices: [{ type: "p", path: "/./" }] } },
  ],
  [
    "linux.resources.memory.swap is 5: it must be 10 (the memory limit) or more",
    { linux: { resources: { memory: { limit: 10, swap: 5 } } } },
  ],
];

test.each(REFUSED)("%s", (message, changes) => {
  const config = exampleConfig(changes);
  try {
    checkBundle(config);
  } catch (error) {
    expect(error).toBeInstanceOf(SpecError);
    expect(String(error)).toContain(message);
    expect((error as SpecError).path).not.toBe("");
    return;
  }
  throw new Error("accepted");
});

const ACCEPTED: [what: string, changes: Changes][] = [
  ["the example", {}],
  [
    "namespaces that are joined count",
    { hostname: "h", linux: { namespaces: [{ type: "uts", path: "/proc/1/ns/uts" }] } },
  ],
  ["an empty hostname needs no namespace", { hostname: "", domainname: "" }],
  ["a hostname of 64 bytes", { hostname: "h".repeat(64), linux: { namespaces: spaces("uts") } }],
  [
    "no mount namespace, nothing to change",
    { linux: { namespaces: [], maskedPaths: [], readonlyPaths: [] } },
  ],
  ["a relative destination", { mounts: [{ destination: "tmp", type: "tmpfs" }] }],
  ["a change of propagation", { mounts: [{ destination: "/", type: "", options: ["rshared"] }] }],
  ["ids that are mapped", { process: { user: { uid: 10, gid: 10, additionalGids: [0, 5] } }, linux: mapped }],
  [
    "groups under a map of one id, which setgroups cannot take",
    {
      process: { user: { uid: 0, gid: 0, additionalGids: [5] } },
      linux: { namespaces: spaces("user"), uidMappings: [map(0, 1000, 1)], gidMappings: [map(0, 1000, 1)] },
    },
  ],
  [
    "a joined user namespace, with or without its mappings",
    {
      process: { user: { uid: 77, gid: 77 } },
      linux: { namespaces: [{ type: "user", path: "/proc/1/ns/user" }], uidMappings: [map(0, 0, 1)] },
    },
  ],
  ["all ids mapped to themselves", { linux: { ...mapped, uidMappings: [map(0, 0, 4294967295)] } }],
  [
    "sysctls of the container's own namespaces",
    {
      hostname: "a",
      linux: {
        namespaces: spaces("network", "ipc", "uts"),
        sysctl: {
          "net.ipv4.conf.eth0/100.rp_filter": "1",
          "net/core/somaxconn": "1",
          "kernel.sem": "1 2 3 4",
          "kernel.hostname": "a",
          "fs.mqueue.msg_max": "10",
        },
      },
    },
  ],
  ["a FIFO needs no numbers", { linux: { devices: [{ type: "p", path: "/dev/fifo" }] } }],
  ["an unlimited hard limit", { process: { rlimits: [{ type: "RLIMIT_STACK", soft: 5, hard: 5 }] } }],
  ["swap without limit", { linux: { resources: { memory: { limit: 10, swap: -1 } } } }],
  [
    "dots that are no traversal",
    { linux: { cgroupsPath: "/a..b/...", resources: { unified: { "memory.high": "1" } } } },
  ],
  ["a console size without a terminal", { process: { consoleSize: { height: 1, width: 1 } } }],
];

test.each(ACCEPTED)("accepted: %s", (_what, changes) => {
  expect(() => checkBundle(exampleConfig(changes))).not.toThrow();
});

test("accepted: a config as buildah writes it, and one without a process", async () => {
  const bytes = await Bun.file(`${import.meta.dir}/../../test/fixtures/buildah-config.json`).bytes();
  const config = parseConfig(bytes);
  expect(() => checkBundle(config)).not.toThrow();
  const { process: _, ...rest } = config;
  expect(() => checkBundle(rest)).not.toThrow();
});

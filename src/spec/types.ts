/** Every type of config.json, for those who read one; importing them loads nothing. */
export type { BlockIo } from "./block-io.ts";
export type { Config, Root } from "./config.ts";
export type { Device, DeviceRule } from "./devices.ts";
export type { Hook, Hooks } from "./hooks.ts";
export type { IntelRdt } from "./intel-rdt.ts";
export type { Linux, Personality, RootfsPropagation } from "./linux.ts";
export type { MemoryPolicy } from "./memory-policy.ts";
export type { Mount } from "./mounts.ts";
export type { IdMapping, Namespace, NamespaceType, TimeOffsets } from "./namespaces.ts";
export type { Capabilities, ConsoleSize, Process, Rlimit, User } from "./process.ts";
export type { Cpu, Memory, Resources } from "./resources.ts";
export type { ExecCpuAffinity, IoPriority, Scheduler } from "./scheduling.ts";
export type {
  Seccomp,
  SeccompAction,
  SeccompArchitecture,
  SeccompArgument,
  SeccompFlag,
  SeccompSyscall,
} from "./seccomp.ts";
export type { Vm } from "./vm.ts";

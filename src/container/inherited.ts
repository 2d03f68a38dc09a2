// What the program of a container inherits from bunc.
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import type { OpenedNamespace } from "../linux/namespaces/apply.ts";
import type { HandOver } from "../linux/seccomp/listen.ts";
import type { Filters } from "./confinement.ts";

/** How init learns that it may execute the container's process, and where it reports why it could not. */
export type Gate =
  /** `create`: two FIFOs in the state directory, for another process to use. */
  | { readonly kind: "fifo"; readonly start: number; readonly result: number }
  /** `run`: the sync socket serves on. */
  | { readonly kind: "socket" };

/** Descriptors that the program inherits, by their numbers. */
export interface Inherited {
  readonly sync: number;
  readonly gate: Gate;
  /** A connected socket for the terminal's master; -1 without a terminal. */
  readonly console: number;
  readonly namespaces: readonly OpenedNamespace[];
  /** Trees that the caller has opened itself, by the index of their mount. */
  readonly trees: ReadonlyMap<number, number>;
  /** The container's cgroups; null for none. */
  readonly cgroup: CgroupRecord | null;
  /** Descriptor of the one of version 2, for init to be born into; -1 where there is none, or init's maker moves there. */
  readonly cgroupDirectory: number;
  /** What the listener of a filter is handed over by; null when no filter has one. */
  readonly handOver: HandOver | null;
  /** Files that will have the filters. */
  readonly filters: Filters;
}

/** Numbers of all inherited descriptors. */
export function inheritedNumbers(inherited: Inherited): number[] {
  const { sync, gate, console, namespaces, trees, cgroupDirectory, handOver, filters } = inherited;
  const numbers = [sync];
  if (console >= 0) numbers.push(console);
  if (cgroupDirectory >= 0) numbers.push(cgroupDirectory);
  for (const { descriptor } of namespaces) numbers.push(descriptor.fd);
  if (trees.size > 0) numbers.push(...trees.values());
  if (handOver) numbers.push(handOver.fd);
  if (gate.kind === "fifo") numbers.push(gate.start, gate.result);
  const { profile, emulation } = filters;
  if (profile && "fd" in profile) numbers.push(profile.fd);
  if (emulation && "fd" in emulation) numbers.push(emulation.fd);
  return numbers;
}

/** Numbers of the descriptors that the caller passes on to the container. */
export function preservedNumbers(count: number): number[] {
  // Not by Array.from, which takes 0.3 ms when it is used first.
  const numbers: number[] = [];
  for (let index = 0; index < count; index++) numbers.push(3 + index);
  return numbers;
}

// What plan.ts decides about control groups, and what the calls made now and the record functions read.
import type { BpfInstruction } from "../../../ffi/structs/bpf-insn.ts";
import type { BusProperty } from "../../../ffi/structs/bus-value.ts";
import type { CgroupView } from "../cgroup-view.ts";
import type { RecordedScope } from "./cgroup-record.ts";
import type { Limit } from "./limit.ts";

/** A cgroup of the container in one hierarchy. */
export interface PlannedDirectory {
  /** Joined by commas; "" for the hierarchy of version 2. */
  readonly controllers: string;
  readonly mountpoint: string;
  /** Absolute. */
  readonly path: string;
  /** What needs it, for error messages: a JSON path. "" when the container can do without it. */
  readonly neededBy: string;
  /** Its name is ours, so that an empty one found there is the rest of a container that is gone. */
  readonly fresh: boolean;
}

/** A limit of one cgroup: its files are absolute paths. */
export type PlannedWrite = Limit;

/** Controllers of version 2 that must work in the container's cgroup. */
export interface PlannedControllers {
  readonly needed: readonly { readonly name: string; readonly property: string }[];
  /** Whether those that nothing asks for are turned on too, as far as possible, so that they can be read. */
  readonly others: boolean;
  /** What version 1 has, where both are mounted: for the error message. */
  readonly elsewhere: readonly string[];
}

/** Rules of access to devices that version 2 has as a program. */
export type PlannedDevices =
  | { readonly kind: "none" }
  | {
      readonly kind: "program";
      /** The cgroup's directory. */
      readonly path: string;
      readonly instructions: readonly BpfInstruction[];
    };

/** A scope of systemd that the container's cgroups are in. */
export interface PlannedScope extends RecordedScope {
  /** Its place in the hierarchies, from their mount points. */
  readonly path: string;
  /** What it is started with, but for its processes. */
  readonly start: readonly BusProperty[];
  /** What it gets when the container is set up. */
  readonly limits: readonly BusProperty[];
}

interface Common {
  readonly containerView: CgroupView;
  /** What --debug tells. */
  readonly notes: readonly string[];
}

export type PlannedNoCgroup = { readonly kind: "none" } & Common;

export type PlannedV1 = {
  readonly kind: "v1";
  /** With a hybrid layout the hierarchy of version 2 is the last. */
  readonly directories: readonly PlannedDirectory[];
  /** Of the hierarchy of version 2, for limits whose controllers version 1 does not have. */
  readonly controllers: PlannedControllers;
  /** Those of the hierarchy of cpu that must be there before a process enters. */
  readonly early: readonly PlannedWrite[];
  readonly writes: readonly PlannedWrite[];
  readonly devices: PlannedDevices;
  /** null when bunc makes the cgroups by itself. */
  readonly scope: PlannedScope | null;
} & Common;

export type PlannedV2 = {
  readonly kind: "v2";
  readonly directory: PlannedDirectory;
  readonly controllers: PlannedControllers;
  /** Uid, as the caller sees it, that the cgroup is to belong to; undefined leaves it the caller's. */
  readonly owner: number | undefined;
  readonly writes: readonly PlannedWrite[];
  readonly devices: PlannedDevices;
  readonly scope: PlannedScope | null;
} & Common;

/** A plan whose scope is not null. */
export type ScopedPlan = PlannedV1 | PlannedV2;

export type PlannedCgroup = PlannedNoCgroup | PlannedV1 | PlannedV2;

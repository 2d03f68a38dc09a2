// What a process in the container gives up before it is executed.
import type { Data, Program, Register } from "../../ffi/program/program.ts";
import {
  recordBoundingSet,
  recordCapabilities,
  recordKeepCapabilities,
  withFilterLoading,
} from "../linux/capabilities/record.ts";
import { recordIds, recordNoNewPrivileges, recordUmask } from "../linux/credentials/record.ts";
import type { PlannedExecute } from "../linux/execution/plan.ts";
import { recordEnterCwdAsUser } from "../linux/execution/record.ts";
import type { HandOver } from "../linux/seccomp/listen.ts";
import { isListening, type PlannedSeccomp } from "../linux/seccomp/plan.ts";
import { type FilterSource, recordFilter, recordSeccomp } from "../linux/seccomp/record.ts";
import type { Plan } from "../plan/types.ts";
import { loadSeldom } from "./load-seldom.ts";

/** The seccomp filters of a process; undefined for none. */
export interface Filters<Source = FilterSource> {
  /** That of linux.seccomp. */
  readonly profile: Source | undefined;
  /** That of root emulation. */
  readonly emulation: Source | undefined;
}

/** struct sock_filter[] of each. */
export type CompiledFilters = Filters<Uint8Array>;

/** What a process in the container is executed with. */
interface Executing {
  readonly execution: PlannedExecute;
  /** From recordEnterCwd. */
  readonly cwdLater: Register;
  /** null when no filter has a listener. */
  readonly handOver: HandOver | null;
}

/** What decides over the rights of a process in the container: of config.json, or of a process that `exec` adds. */
export type Confinement = Pick<Plan, "credentials" | "capabilities" | "seccomp" | "emulation" | "seldom">;

/** Gives up what the container's process must not have, in the order in which it can be given up. */
export function recordConfinement(
  program: Program,
  plan: Confinement,
  { execution, cwdLater, handOver }: Executing,
  filters: Filters,
): void {
  const { credentials, seldom } = plan;
  if (seldom) loadSeldom().recordOwnSettings(program, seldom);
  // First of all: no filter need allow that one is read.
  const fprogs = recordFilters(program, filters);
  recordUmask(program, credentials);
  recordNoNewPrivileges(program, credentials);
  // Without no_new_privs a filter can only be loaded with CAP_SYS_ADMIN, so before that is dropped.
  const late = credentials.noNewPrivileges || filters.emulation !== undefined;
  if (!late) recordProfile(program, plan, fprogs, handOver);
  recordBoundingSet(program, plan.capabilities);
  recordKeepCapabilities(program);
  recordIds(program, credentials);
  const keepsAdmin = filters.emulation !== undefined && !credentials.noNewPrivileges;
  recordCapabilities(program, keepsAdmin ? withFilterLoading(plan.capabilities) : plan.capabilities);
  recordEnterCwdAsUser(program, execution, cwdLater);
  // From here on the calls above would only be answered. Of filters that both answer with an error the kernel takes the
  // one that was loaded last: what the profile refuses stays refused, and it need not allow seccomp(2).
  recordLoad(program, plan.emulation, fprogs.emulation, handOver, "--root-emulation");
  // Otherwise last of all, so that it need not allow what was done until now.
  if (late) recordProfile(program, plan, fprogs, handOver);
}

function recordFilters(program: Program, { profile, emulation }: Filters): Filters<Data> {
  return {
    profile: profile && recordFilter(program, profile),
    emulation: emulation && recordFilter(program, emulation, "--root-emulation"),
  };
}

function recordProfile(
  program: Program,
  { seccomp }: Confinement,
  { profile }: Filters<Data>,
  handOver: HandOver | null,
): void {
  recordLoad(program, seccomp, profile, handOver, "linux.seccomp");
}

function recordLoad(
  program: Program,
  plan: PlannedSeccomp,
  fprog: Data | undefined,
  handOver: HandOver | null,
  origin: string,
): void {
  if (!fprog || plan.kind === "none") return;
  const load = () => recordSeccomp(program, fprog, plan.flags, origin);
  if (handOver && isListening(plan)) {
    const { recordListen } =
      require("../linux/seccomp/listen.ts") as typeof import("../linux/seccomp/listen.ts");
    recordListen(program, handOver, load, origin);
  } else load();
}

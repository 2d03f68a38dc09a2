import { type Descriptor, readFile, writeAtomically } from "../../ffi/file.ts";
import { decodeText } from "../../ffi/memory.ts";
import { readOr } from "../host/read.ts";
import { briefOf } from "../linux/cgroups/brief.ts";
import { readCgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { updateLimits } from "../linux/cgroups/update.ts";
import type { IntelRdtRecord } from "../linux/intel-rdt/groups.ts";
import { findResctrl } from "../linux/intel-rdt/mountpoint.ts";
import { planIntelRdt } from "../linux/intel-rdt/plan.ts";
import { updateClass } from "../linux/intel-rdt/update.ts";
import { checkBundle } from "../rules/check.ts";
import { refuseUnsupported } from "../rules/supported.ts";
import { parseConfig, parseResources } from "../spec/parse.ts";
import type { Config, IntelRdt, Resources } from "../spec/types.ts";
import { StateError } from "../state/error.ts";
import { files, type StateRecord } from "../state/record.ts";
import { commit, load, openContainer } from "../state/store.ts";
import { enterRestored } from "./class-of-service.ts";
import { readKeptConfig } from "./kept-config.ts";
import { mergeResources } from "./merge-resources.ts";
import type { ContainerOptions } from "./options.ts";
import { statusOf } from "./state.ts";

export interface UpdateOptions extends ContainerOptions {
  /** What is to be changed, of `linux.resources`. */
  readonly resources: Resources;
  /** What is to be changed, of `linux.intelRdt`; undefined for nothing. */
  readonly intelRdt: Pick<IntelRdt, "l3CacheSchema" | "memBwSchema"> | undefined;
}

/** The resources document of a file, or of standard input for "-". Throws SpecError, SyscallError. */
export function readResources(path: string): Resources {
  return parseResources(readFile(path === "-" ? 0 : path));
}

/**
 * `update`: changes a container's limits, those of its processes that run included, and keeps them for later commands.
 * Throws StateError "missing"; "conflict" when it is stopped or has no cgroup; SpecError that names what cannot be
 * applied, SyscallError: then everything is as it was.
 */
export function updateContainer({ root, id, log, resources, intelRdt }: UpdateOptions): void {
  using directory = openContainer(root, id);
  const record = load(root, id, directory);
  if (statusOf(root, record) === "stopped") {
    throw new StateError("conflict", `container not running: "${id}"`);
  }
  if (intelRdt) changeClass(record, directory, intelRdt);
  if (Object.keys(resources).length === 0) return;
  const cgroup = readCgroupRecord(record.cgroup);
  if (!cgroup) {
    throw new StateError(
      "conflict",
      `container "${id}" has no limits to change: it has no cgroup of its own`,
    );
  }
  const kept = readKeptConfig({ root, id, log });
  const changed = mergeResources(decodeText(kept, kept.length), resources);
  const config = parseConfig(new TextEncoder().encode(changed));
  checkBundle(config);
  refuseUnsupported(config);
  for (const note of updateLimits(cgroup, checked(resources, config))) log.debug(note);
  writeAtomically(directory.fd, files.config, changed);
}

/** Changes the container's class of service; one that has none gets one of its own, with all its processes. */
function changeClass(
  record: StateRecord,
  directory: Descriptor,
  intelRdt: NonNullable<UpdateOptions["intelRdt"]>,
): void {
  const mountpoint = findResctrl(readOr("/proc/self/mountinfo", ""));
  const plan = planIntelRdt(intelRdt, { id: record.id, mountpoint });
  if (!plan) return;
  if (record.intelRdt) {
    updateClass(record.intelRdt as IntelRdtRecord, plan);
    return;
  }
  const entered = enterRestored(plan, record.pid, readCgroupRecord(record.cgroup), directory);
  commit(directory, { ...record, intelRdt: entered }, briefOf(record.cgroup));
}

/** The container's own word on whether usage is looked at first counts where the change has none. */
function checked(resources: Resources, { linux }: Config): Resources {
  const check = linux?.resources?.memory?.checkBeforeUpdate;
  if (!resources.memory || check === undefined) return resources;
  return { ...resources, memory: { checkBeforeUpdate: check, ...resources.memory } };
}

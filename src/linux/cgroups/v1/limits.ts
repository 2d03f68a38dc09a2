import type { Resources } from "../../../spec/types.ts";
import type { Limit } from "../limit.ts";
import type { ControllerLimits } from "../request.ts";
import { limitCpu } from "./cpu.ts";
import { limitCpuset } from "./cpuset.ts";
import { limitMemory } from "./memory.ts";
import { limitPids } from "./pids.ts";

/**
 * Every limit of config.json in the terms of version 1, by controller; controllers without one are left out.
 * Throws SpecError for what has no form there.
 */
export function limitsV1(resources: Resources): ControllerLimits[] {
  const { memory, cpu, pids } = resources;
  const found: ControllerLimits[] = [];
  if (memory) add(found, "memory", limitMemory(memory));
  if (cpu) add(found, "cpuset", limitCpuset(cpu));
  if (cpu) add(found, "cpu", limitCpu(cpu));
  if (pids) add(found, "pids", limitPids(pids));
  addRare(found, resources);
  return found;
}

/** Few ask for these. */
function addRare(found: ControllerLimits[], { blockIO, hugepageLimits, network, rdma }: Resources): void {
  if (blockIO) {
    const { limitBlkio } = require("./blkio.ts") as typeof import("./blkio.ts");
    add(found, "blkio", limitBlkio(blockIO));
  }
  if (hugepageLimits) {
    const { limitHugetlb } = require("../hugetlb.ts") as typeof import("../hugetlb.ts");
    add(found, "hugetlb", limitHugetlb(hugepageLimits, "limit_in_bytes"));
  }
  if (network) {
    const { limitNetCls, limitNetPrio } = require("./network.ts") as typeof import("./network.ts");
    add(found, "net_cls", limitNetCls(network));
    add(found, "net_prio", limitNetPrio(network));
  }
  if (rdma) {
    const { limitRdma } = require("../rdma.ts") as typeof import("../rdma.ts");
    add(found, "rdma", limitRdma(rdma));
  }
}

/** Adds the limits of a controller, if there are any. */
export function add(all: ControllerLimits[], controller: string, limits: readonly Limit[]): void {
  if (limits.length > 0) all.push({ controller, limits });
}

import type { Resources } from "../../../spec/types.ts";
import type { ControllerLimits } from "../request.ts";
import { limitCpuset } from "../v1/cpuset.ts";
import { add } from "../v1/limits.ts";
import { limitPids } from "../v1/pids.ts";
import { limitCpu } from "./cpu.ts";
import { limitMemory } from "./memory.ts";
import { limitUnified } from "./unified.ts";

/**
 * Every limit of config.json in the terms of version 2, by controller; controllers without one are left out. The files
 * that `unified` names come last, so that they win. Files of cgroups themselves have the controller "cgroup".
 * Throws SpecError for what has no form there.
 */
export function limitsV2(resources: Resources): ControllerLimits[] {
  const { memory, cpu, pids, unified } = resources;
  const found: ControllerLimits[] = [];
  if (memory) add(found, "memory", limitMemory(memory));
  if (cpu) add(found, "cpuset", limitCpuset(cpu));
  if (cpu) add(found, "cpu", limitCpu(cpu));
  if (pids) add(found, "pids", limitPids(pids));
  addRare(found, resources);
  for (const limit of unified ? limitUnified(unified) : []) {
    add(found, limit.file.slice(0, limit.file.indexOf(".")), [limit]);
  }
  return found;
}

/** Few ask for these. */
function addRare(found: ControllerLimits[], { blockIO, hugepageLimits, network, rdma }: Resources): void {
  if (blockIO) {
    const { limitIo } = require("./io.ts") as typeof import("./io.ts");
    add(found, "io", limitIo(blockIO));
  }
  if (hugepageLimits) {
    const { limitHugetlb } = require("../hugetlb.ts") as typeof import("../hugetlb.ts");
    add(found, "hugetlb", limitHugetlb(hugepageLimits, "max"));
  }
  if (network) {
    const { refuseNetwork } = require("../v1/network.ts") as typeof import("../v1/network.ts");
    refuseNetwork(network);
  }
  if (rdma) {
    const { limitRdma } = require("../rdma.ts") as typeof import("../rdma.ts");
    add(found, "rdma", limitRdma(rdma));
  }
}

import type { BlockIo } from "../../../spec/block-io.ts";
import { SpecError } from "../../../spec/error.ts";
import { type Limit, limit } from "../limit.ts";

const path = "linux.resources.blockIO";

/** Lists of config.json and the keys of io.max. */
const throttles = [
  ["throttleReadBpsDevice", "rbps"],
  ["throttleWriteBpsDevice", "wbps"],
  ["throttleReadIOPSDevice", "riops"],
  ["throttleWriteIOPSDevice", "wiops"],
] as const;

/**
 * Documentation/admin-guide/cgroup-v2.rst, "IO Interface Files". Weights are kept by the BFQ scheduler, which has a file
 * of its own with the numbers of version 1, or by the cost model of io.weight.
 */
export function limitIo(io: BlockIo): Limit[] {
  const limits: Limit[] = [];
  refuseLeaf(io.leafWeight, `${path}.leafWeight`);
  if (io.weight) limits.push(weight("", io.weight, `${path}.weight`));
  for (const [index, device] of (io.weightDevice ?? []).entries()) {
    const property = `${path}.weightDevice[${index}]`;
    refuseLeaf(device.leafWeight, `${property}.leafWeight`);
    const name = `${device.major}:${device.minor} `;
    if (device.weight) limits.push(weight(name, device.weight, `${property}.weight`));
  }
  for (const [key, word] of throttles) {
    for (const [index, { major, minor, rate }] of (io[key] ?? []).entries()) {
      // As in version 1, where 0 takes a limit away.
      const most = rate === 0n ? "max" : rate;
      limits.push(limit("io.max", `${major}:${minor} ${word}=${most}`, `${path}.${key}[${index}]`));
    }
  }
  return limits;
}

/** @param device "MAJOR:MINOR " or "" for all */
function weight(device: string, value: number, property: string): Limit {
  return {
    ...limit("io.bfq.weight", device + value, property),
    otherwise: { file: "io.weight", value: device + ioWeightOf(value) },
  };
}

/**
 * A weight of version 1 (10 to 1000) as one of io.weight (1 to 10000): the straight line through both ends, as crun(1)
 * has it in "CGROUP v2" and runc in ConvertBlkIOToIOWeightValue.
 */
export function ioWeightOf(weight: number): number {
  return Math.max(1, 1 + Math.trunc(((weight - 10) * 9999) / 990));
}

function refuseLeaf(leafWeight: number | undefined, property: string): void {
  if (leafWeight) throw new SpecError(property, "has no counterpart in cgroup v2, which this machine has");
}

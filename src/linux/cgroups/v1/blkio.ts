import type { BlockIo } from "../../../spec/block-io.ts";
import { type Limit, limit } from "../limit.ts";

const path = "linux.resources.blockIO";

/** Lists of config.json and the files that take them. */
const throttles = [
  ["throttleReadBpsDevice", "blkio.throttle.read_bps_device"],
  ["throttleWriteBpsDevice", "blkio.throttle.write_bps_device"],
  ["throttleReadIOPSDevice", "blkio.throttle.read_iops_device"],
  ["throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"],
] as const;

/**
 * Documentation/admin-guide/cgroup-v1/blkio-controller.rst. Weights are kept by the BFQ scheduler (Linux 5.0 and later),
 * under names of its own; leaf weights were CFQ's, which is gone. A rate of 0 takes a limit away.
 */
export function limitBlkio(io: BlockIo): Limit[] {
  const limits: Limit[] = [];
  if (io.weight) limits.push(weight("weight", "", io.weight, `${path}.weight`));
  if (io.leafWeight) limits.push(limit("blkio.leaf_weight", io.leafWeight, `${path}.leafWeight`));
  for (const [index, device] of (io.weightDevice ?? []).entries()) {
    const property = `${path}.weightDevice[${index}]`;
    const name = `${device.major}:${device.minor} `;
    if (device.weight) limits.push(weight("weight_device", name, device.weight, `${property}.weight`));
    if (device.leafWeight) {
      const value = name + device.leafWeight;
      limits.push(limit("blkio.leaf_weight_device", value, `${property}.leafWeight`));
    }
  }
  for (const [key, file] of throttles) {
    for (const [index, { major, minor, rate }] of (io[key] ?? []).entries()) {
      limits.push(limit(file, `${major}:${minor} ${rate}`, `${path}.${key}[${index}]`));
    }
  }
  return limits;
}

/** @param device "MAJOR:MINOR " or "" for all */
function weight(file: string, device: string, value: number, property: string): Limit {
  return {
    ...limit(`blkio.bfq.${file}`, device + value, property),
    otherwise: { file: `blkio.${file}`, value: device + value },
  };
}

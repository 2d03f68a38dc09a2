import { joinPath } from "../../spec/describe.ts";
import { SpecError } from "../../spec/error.ts";
import type { Resources } from "../../spec/types.ts";
import { type Limit, limit } from "./limit.ts";

type Rdma = NonNullable<Resources["rdma"]>;

/**
 * Documentation/admin-guide/cgroup-v2.rst, "RDMA"; the file is the same in version 1. What is not given stays unlimited.
 * Throws SpecError for a device with neither limit, and for a name that no device can have.
 */
export function limitRdma(rdma: Rdma): Limit[] {
  return Object.entries(rdma).map(([device, { hcaHandles, hcaObjects }]) => {
    const property = joinPath("linux.resources.rdma", device);
    // Both would be read as further words, or as a further line.
    if (device === "" || /\s/.test(device)) throw new SpecError(property, "names no RDMA device");
    const words = [device];
    if (hcaHandles !== undefined) words.push(`hca_handle=${hcaHandles}`);
    if (hcaObjects !== undefined) words.push(`hca_object=${hcaObjects}`);
    if (words.length === 1) throw new SpecError(property, "has neither hcaHandles nor hcaObjects: give one");
    return limit("rdma.max", words.join(" "), property);
  });
}

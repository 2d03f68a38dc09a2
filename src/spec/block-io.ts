/** runtime-spec, config-linux.md, "Control groups", "Block IO". */
import type * as v from "valibot";
import { chapter, list, object, once, optional, uint32, uint64, whole } from "./values.ts";

export const blockIoSchema = once(() => {
  const weight = optional(whole(0, 1000));
  const device = { major: uint32(), minor: uint32() };
  const throttles = chapter(() => list(object({ ...device, rate: uint64() })));
  return object({
    weight,
    leafWeight: weight,
    weightDevice: chapter(() => list(object({ ...device, weight, leafWeight: weight }))),
    throttleReadBpsDevice: throttles,
    throttleWriteBpsDevice: throttles,
    throttleReadIOPSDevice: throttles,
    throttleWriteIOPSDevice: throttles,
  });
});

export type BlockIo = v.InferOutput<ReturnType<typeof blockIoSchema>>;

/** runtime-spec, config-linux.md, "Control groups". Numbers that the kernel holds in 64 bits are bigints. */
import type * as v from "valibot";
import { blockIoSchema } from "./block-io.ts";
import { deviceRuleSchema } from "./devices.ts";
import {
  chapter,
  flag,
  int64,
  list,
  mapOf,
  object,
  once,
  optional,
  text,
  textMap,
  uint32,
  uint64,
  whole,
} from "./values.ts";

const memorySchema = once(() => {
  const bytes = optional(int64());
  return object({
    limit: bytes,
    reservation: bytes,
    swap: bytes,
    kernel: bytes,
    kernelTCP: bytes,
    swappiness: optional(whole(0, 100)),
    disableOOMKiller: optional(flag()),
    useHierarchy: optional(flag()),
    checkBeforeUpdate: optional(flag()),
  });
});

const cpuSchema = once(() => {
  const microseconds = optional(uint64());
  const signed = optional(int64());
  return object({
    shares: optional(uint64()),
    quota: signed,
    burst: microseconds,
    period: microseconds,
    realtimeRuntime: signed,
    realtimePeriod: microseconds,
    cpus: optional(text()),
    mems: optional(text()),
    idle: optional(whole(0, 1)),
  });
});

const hugepageLimitSchema = once(() => object({ pageSize: text('a size, such as "2MB"'), limit: uint64() }));

const networkSchema = once(() =>
  object({
    classID: optional(uint32()),
    priorities: optional(list(object({ name: text("the name of an interface"), priority: uint32() }))),
  }),
);

const rdmaSchema = once(() =>
  mapOf(object({ hcaHandles: optional(uint32()), hcaObjects: optional(uint32()) })),
);

export const resourcesSchema = once(() =>
  object({
    devices: chapter(() => list(deviceRuleSchema())),
    memory: chapter(memorySchema),
    cpu: chapter(cpuSchema),
    pids: chapter(() => object({ limit: optional(int64()) })),
    blockIO: chapter(blockIoSchema),
    hugepageLimits: chapter(() => list(hugepageLimitSchema())),
    network: chapter(networkSchema),
    rdma: chapter(rdmaSchema),
    unified: optional(textMap()),
  }),
);

export type Resources = v.InferOutput<ReturnType<typeof resourcesSchema>>;
/** Bytes; -1 means no limit. */
export type Memory = v.InferOutput<ReturnType<typeof memorySchema>>;
/** Microseconds. */
export type Cpu = v.InferOutput<ReturnType<typeof cpuSchema>>;

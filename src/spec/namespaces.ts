/** runtime-spec, config-linux.md: "Namespaces", "User namespace mappings", "Offset for Time Namespace". */
import type * as v from "valibot";
import { int64, object, once, optional, text, uint32, whole, word } from "./values.ts";

export const namespaceSchema = once(() =>
  object({
    type: word("mount", "pid", "network", "uts", "ipc", "user", "cgroup", "time"),
    path: optional(text()),
  }),
);

export const idMappingSchema = once(() =>
  object({ containerID: uint32(), hostID: uint32(), size: uint32() }),
);

export const timeOffsetsSchema = once(() => {
  const offset = object({ secs: optional(int64()), nanosecs: optional(whole(0, 999999999)) });
  return object({ monotonic: optional(offset), boottime: optional(offset) });
});

export type Namespace = v.InferOutput<ReturnType<typeof namespaceSchema>>;
export type NamespaceType = Namespace["type"];
export type IdMapping = v.InferOutput<ReturnType<typeof idMappingSchema>>;
export type TimeOffsets = v.InferOutput<ReturnType<typeof timeOffsetsSchema>>;

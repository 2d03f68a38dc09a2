/** runtime-spec, config.md, "Mounts". */
import type * as v from "valibot";
import { idMappingSchema } from "./namespaces.ts";
import { chapter, list, object, once, optional, text, texts } from "./values.ts";

export const mountSchema = once(() =>
  object({
    destination: text("a path in the container"),
    source: optional(text()),
    type: optional(text()),
    options: optional(texts()),
    uidMappings: chapter(() => list(idMappingSchema())),
    gidMappings: chapter(() => list(idMappingSchema())),
  }),
);

export type Mount = v.InferOutput<ReturnType<typeof mountSchema>>;

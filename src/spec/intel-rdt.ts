/** runtime-spec, config-linux.md, "IntelRdt". enableCMT and enableMBM left the specification in 1.3.0. */
import type * as v from "valibot";
import { flag, object, once, optional, text, texts } from "./values.ts";

export const intelRdtSchema = once(() =>
  object({
    closID: optional(text()),
    l3CacheSchema: optional(text()),
    memBwSchema: optional(text()),
    schemata: optional(texts()),
    enableMonitoring: optional(flag()),
  }),
);

export type IntelRdt = v.InferOutput<ReturnType<typeof intelRdtSchema>>;

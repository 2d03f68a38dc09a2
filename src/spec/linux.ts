/** runtime-spec, config-linux.md. */
import type * as v from "valibot";
import { deviceSchema } from "./devices.ts";
import { intelRdtSchema } from "./intel-rdt.ts";
import { memoryPolicySchema } from "./memory-policy.ts";
import { idMappingSchema, namespaceSchema, timeOffsetsSchema } from "./namespaces.ts";
import { resourcesSchema } from "./resources.ts";
import { seccompSchema } from "./seccomp.ts";
import { chapter, list, mapOf, object, once, optional, text, textMap, texts, word } from "./values.ts";

/** The specification knows four kinds; their recursive forms and "" (Go's unset) are in use, and runc takes them. */
const propagationSchema = once(() =>
  word("", "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"),
);

const personalitySchema = once(() => object({ domain: word("LINUX", "LINUX32"), flags: optional(texts()) }));

export const linuxSchema = once(() =>
  object({
    namespaces: chapter(() => list(namespaceSchema())),
    uidMappings: chapter(() => list(idMappingSchema())),
    gidMappings: chapter(() => list(idMappingSchema())),
    timeOffsets: chapter(timeOffsetsSchema),
    devices: chapter(() => list(deviceSchema())),
    netDevices: chapter(() => mapOf(object({ name: optional(text()) }))),
    cgroupsPath: optional(text()),
    resources: chapter(resourcesSchema),
    rootfsPropagation: chapter(propagationSchema),
    seccomp: chapter(seccompSchema),
    sysctl: optional(textMap()),
    maskedPaths: optional(texts()),
    readonlyPaths: optional(texts()),
    mountLabel: optional(text()),
    personality: chapter(personalitySchema),
    intelRdt: chapter(intelRdtSchema),
    memoryPolicy: chapter(memoryPolicySchema),
  }),
);

export type Linux = v.InferOutput<ReturnType<typeof linuxSchema>>;
export type RootfsPropagation = v.InferOutput<ReturnType<typeof propagationSchema>>;
export type Personality = v.InferOutput<ReturnType<typeof personalitySchema>>;

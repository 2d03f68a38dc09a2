/** runtime-spec, config.md, "Process", and config-linux.md for what only Linux has. */
import * as v from "valibot";
import { execCpuAffinitySchema, ioPrioritySchema, schedulerSchema } from "./scheduling.ts";
import { chapter, flag, id, list, object, once, optional, text, texts, uint64, whole } from "./values.ts";

/** Who runs when config.json names nobody: runc and crun take it so too. */
const ROOT = { uid: 0, gid: 0 };

export const userSchema = once(() =>
  object({
    uid: id(),
    gid: id(),
    umask: optional(whole(0, 0o777, "a file mode mask from 0 to 511 (octal 777)")),
    additionalGids: optional(list(id())),
  }),
);

export const rlimitSchema = once(() => object({ type: text(), soft: uint64(), hard: uint64() }));

/** Unknown names pass: the specification wants a warning for them, not an error. */
export const capabilitiesSchema = once(() =>
  object({
    bounding: optional(texts()),
    effective: optional(texts()),
    permitted: optional(texts()),
    inheritable: optional(texts()),
    ambient: optional(texts()),
  }),
);

// struct winsize of ioctl_tty(2) holds unsigned shorts.
const consoleSizeSchema = once(() => object({ height: whole(0, 65535), width: whole(0, 65535) }));

export const processSchema = once(() =>
  object({
    terminal: optional(flag()),
    consoleSize: chapter(consoleSizeSchema),
    cwd: text('an absolute path in the container, such as "/"'),
    env: optional(texts()),
    args: optional(texts()),
    user: v.optional(v.lazy(userSchema), ROOT),
    rlimits: chapter(() => list(rlimitSchema())),
    capabilities: chapter(capabilitiesSchema),
    noNewPrivileges: optional(flag()),
    oomScoreAdj: optional(whole(-1000, 1000)),
    apparmorProfile: optional(text()),
    selinuxLabel: optional(text()),
    scheduler: chapter(schedulerSchema),
    ioPriority: chapter(ioPrioritySchema),
    execCPUAffinity: chapter(execCpuAffinitySchema),
  }),
);

export type Process = v.InferOutput<ReturnType<typeof processSchema>>;
export type User = v.InferOutput<ReturnType<typeof userSchema>>;
export type Rlimit = v.InferOutput<ReturnType<typeof rlimitSchema>>;
export type Capabilities = v.InferOutput<ReturnType<typeof capabilitiesSchema>>;
export type ConsoleSize = v.InferOutput<ReturnType<typeof consoleSizeSchema>>;

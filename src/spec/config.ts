/** runtime-spec, config.md: the whole of config.json. */
import * as v from "valibot";
import { hooksSchema } from "./hooks.ts";
import { linuxSchema } from "./linux.ts";
import { mountSchema } from "./mounts.ts";
import { processSchema } from "./process.ts";
import { chapter, flag, list, object, once, optional, text, textMap } from "./values.ts";
import { vmSchema } from "./vm.ts";

const versionSchema = once(() =>
  v.custom<string>(isVersion1, 'a 1.x version of the OCI runtime specification, such as "1.3.0"'),
);

/**
 * A semantic version 1.x.y, with any suffix: a newer minor version only adds properties, and unknown properties are
 * ignored. No regular expression, for compiling one takes longer than all of this.
 */
function isVersion1(value: unknown): boolean {
  if (typeof value !== "string" || value.endsWith("-") || value.endsWith("+")) return false;
  const core = value.split("+", 1)[0]?.split("-", 1)[0] ?? "";
  const [major, minor, patch, more] = core.split(".");
  return major === "1" && isDecimal(minor) && isDecimal(patch) && more === undefined;
}

function isDecimal(part: string | undefined): boolean {
  return part !== undefined && String(Number(part)) === part && Number.isSafeInteger(Number(part));
}

const rootSchema = once(() =>
  object({
    path: text("the path of the root filesystem, absolute or relative to the bundle"),
    readonly: optional(flag()),
  }),
);

export const configSchema = once(() =>
  object({
    ociVersion: versionSchema(),
    root: rootSchema(),
    process: chapter(processSchema),
    mounts: chapter(() => list(mountSchema())),
    hostname: optional(text()),
    domainname: optional(text()),
    hooks: chapter(hooksSchema),
    annotations: optional(textMap()),
    linux: chapter(linuxSchema),
    vm: chapter(vmSchema),
  }),
);

export type Config = v.InferOutput<ReturnType<typeof configSchema>>;
export type Root = v.InferOutput<ReturnType<typeof rootSchema>>;

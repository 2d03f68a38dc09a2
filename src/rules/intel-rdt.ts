/** runtime-spec, config-linux.md, "IntelRdt". */
import { wrong } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

/** Directories of resctrl that are no classes. Documentation/filesystems/resctrl.rst. */
const taken: readonly string[] = [".", "..", "info", "mon_groups", "mon_data"];

/** It becomes the name of a directory; "/" is the default class. */
export function closIdIsName(config: Config): void {
  const id = config.linux?.intelRdt?.closID;
  if (!id || id === "/") return;
  if (id.includes("/") || id.includes("\n") || taken.includes(id)) {
    throw wrong("linux.intelRdt.closID", id, 'the name of a class, or "/" for the default one');
  }
}

export function memBwSchemaIsOfBandwidth(config: Config): void {
  const schema = config.linux?.intelRdt?.memBwSchema;
  if (!schema || (schema.startsWith("MB:") && !schema.includes("\n"))) return;
  throw wrong("linux.intelRdt.memBwSchema", schema, 'one line that begins with "MB:"');
}

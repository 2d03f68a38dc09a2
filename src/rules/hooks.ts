/** runtime-spec, config.md, "POSIX-platform Hooks". */
import { wrong } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

export function hooksAreAbsolute(config: Config): void {
  for (const [name, hooks] of Object.entries(config.hooks ?? {})) {
    for (const [index, { path }] of hooks.entries()) {
      if (!path.startsWith("/")) throw wrong(`hooks.${name}[${index}].path`, path, "an absolute path");
    }
  }
}

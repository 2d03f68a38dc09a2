import type { ArgsDef } from "citty";
import { globalArgs } from "./globals.ts";

/** By which name the program was called: it decides which options stand before the command. */
export interface Called {
  readonly name: "bunc" | "ch-run-oci";
  readonly globals: ArgsDef;
}

const bunc: Called = { name: "bunc", globals: globalArgs };

/** @param argv0 argv[0], as execve(2) got it: a path, or a name that was found in PATH */
export function calledAs(argv0: string): Called {
  if (!argv0.endsWith("ch-run-oci")) return bunc;
  const { chRunOci } = require("./ch-run-oci.ts") as typeof import("./ch-run-oci.ts");
  return argv0.slice(argv0.lastIndexOf("/") + 1) === chRunOci.name ? chRunOci : bunc;
}

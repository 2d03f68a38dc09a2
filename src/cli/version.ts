import { defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { version } from "../../package.json";
import { ociVersion } from "../state/record.ts";

/** Prints the version in the lines that podman and dockerd read: `NAME version X`, `spec: Y`. */
export function printVersion(): void {
  writeAll(1, `bunc version ${version}\nspec: ${ociVersion}\nbun: ${Bun.version}\n`);
}

export const command = defineCommand({
  meta: { name: "version", description: "print the version" },
  args: {},
  run: printVersion,
});

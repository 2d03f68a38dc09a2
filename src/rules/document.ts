/** runtime-spec, config.md: "Root" and "Annotations". */
import { quote } from "../spec/describe.ts";
import { SpecError, wrong } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

export function rootHasPath(config: Config): void {
  if (config.root.path === "") throw wrong("root.path", "", "the path of the root filesystem");
}

export function annotationsHaveKeys(config: Config): void {
  if (config.annotations && Object.hasOwn(config.annotations, "")) {
    throw new SpecError(
      "annotations",
      `has an empty key, with the value ${quote(config.annotations[""] ?? "")}`,
    );
  }
}

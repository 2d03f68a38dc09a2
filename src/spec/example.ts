import { parseConfig } from "./parse.ts";
import type { Config } from "./types.ts";

/** For tests: a small container that every rule accepts, as JSON.parse gives it. */
export function exampleJson(): Record<string, unknown> {
  return {
    ociVersion: "1.3.0",
    root: { path: "rootfs" },
    process: { cwd: "/", args: ["sh"], user: { uid: 0, gid: 0 } },
    linux: { namespaces: [{ type: "mount" }, { type: "pid" }] },
  };
}

/** For tests: what parseConfig makes of a value. Strings, `undefined` and the rest go through JSON first. */
export function parseValue(value: unknown): Config {
  return parseConfig(new TextEncoder().encode(JSON.stringify(value)));
}

/** For tests: the example with top-level properties replaced, and those of `process` and `linux` added or replaced. */
export function exampleConfig(changes: {
  [key: string]: unknown;
  process?: Record<string, unknown>;
  linux?: Record<string, unknown>;
}): Config {
  const { process, linux, ...rest } = changes;
  const base = exampleJson();
  return parseValue({
    ...base,
    ...rest,
    process: { ...(base.process as object), ...process },
    linux: { ...(base.linux as object), ...linux },
  });
}

/** Hooks that buildah puts into config.json: those of the directories that --hooks-dir names. oci-hooks(5). */
import { describe, expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootAccount } from "./support/accounts.ts";
import { Buildah } from "./support/buildah.ts";
import type { HookName } from "./support/config.ts";
import { hasProgram, isRoot, runtimeKind } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("buildah-hooks");
const buildTest = testIf(
  isRoot && hasProgram("buildah") && runtimeKind !== "crun",
  "needs root, buildah, and a runtime other than crun",
);

let serial = 0;

/** A directory with one hook, which runs a script of a shell at each of these stages. */
function hooksDirectory(script: string, ...stages: HookName[]): string {
  const directory = box.directory("hooks.d");
  const hook = { path: "/bin/sh", args: ["sh", "-c", script], env: ["PATH=/bin:/usr/bin"] };
  const text = JSON.stringify({ version: "1.0.0", hook, when: { always: true }, stages });
  // Of files of one name in several directories only the last counts.
  writeFileSync(join(directory, `hook-${++serial}.json`), text);
  return directory;
}

describe("a build with --hooks-dir", () => {
  buildTest("runs each hook around each step", async () => {
    const log = join(box.directory("log"), "log");
    const script = `sed 's/.*"status":"\\([a-z]*\\)".*/\\1/' >> ${log}; echo >> ${log}`;
    const outside: HookName[] = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
    const outer = hooksDirectory(script, ...outside);
    const inner = hooksDirectory("echo hooked > /hooked", "startContainer");
    const { status, stdout } = await new Buildah(box, rootAccount, "oci").run(
      ["RUN cat /hooked", "RUN true"],
      { flags: ["--hooks-dir", outer, "--hooks-dir", inner] },
    );
    expect(status).toBe(0);
    expect(stdout).toContain("hooked\n");
    // runc 1.1 calls poststart in create.
    const running = runtimeKind === "runc" ? "created" : "running";
    const step = ["creating", "creating", "creating", running, "stopped"];
    expect(readFileSync(log, "utf8").split("\n").filter(Boolean)).toEqual([...step, ...step]);
  });

  buildTest("fails with a hook, and shows what it has said", async () => {
    const failing = hooksDirectory("echo the reason >&2; exit 3", "createRuntime");
    const { status, stderr } = await new Buildah(box, rootAccount, "oci").run(["RUN true"], {
      flags: ["--hooks-dir", failing],
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain("the reason");
  });
});

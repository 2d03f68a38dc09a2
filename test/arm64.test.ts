/** The binary for the other processor: that it is built, and starts. Its system calls need a machine of that kind. */
import { describe, expect } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { command } from "./support/command.ts";
import { findProgram, repository, runtimeKind, searchPath } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("arm64");

/** Where Debian's libc6-arm64-cross puts the C library that the emulated program loads. */
const library = "/usr/aarch64-linux-gnu";
const emulator = findProgram("qemu-aarch64-static");
const arm64Test = testIf(
  runtimeKind === "bunc" && process.arch === "x64" && emulator !== undefined && existsSync(`${library}/lib`),
  "tests bunc's own build, on x86-64, with qemu-user-static and libc6-arm64-cross",
);

describe("dist/bunc-arm64", () => {
  arm64Test("is built from bun.lock's executable, and starts", async () => {
    const build = await command([process.execPath, join(repository, "bin/build.ts"), "arm64"], {
      env: { PATH: searchPath, HOME: process.env.HOME ?? box.path },
      timeout: 60_000,
    });
    expect([build.status, build.status === 0 ? "" : build.stderr]).toEqual([0, ""]);
    const run = (...args: string[]) =>
      command([emulator ?? "", "-L", library, join(repository, "dist/bunc-arm64"), ...args]);
    const version = await run("--version");
    expect({ ...version, stdout: version.stdout.split(" ")[0] }).toEqual({
      status: 0,
      stdout: "bunc",
      stderr: "",
    });
    const refused = await run("--root", box.path, "state", "no-such-container");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("does not exist");
    const directory = box.directory("spec");
    expect(await run("spec", "--bundle", directory)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(existsSync(join(directory, "config.json"))).toBe(true);
  });
});

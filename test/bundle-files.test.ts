/**
 * Callers start the runtime in the bundle's directory, which nobody has vetted: the files that Bun reads from the current
 * directory when it runs a script must do nothing here.
 */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { config, sleeper } from "./support/config.ts";
import { runtimePath } from "./support/machine.ts";
import { rootTest } from "./support/peers.ts";
import { command, workspace } from "./support/workspace.ts";

const box = workspace("bundle-files");

/** Files that would leave a marker behind if anything of them were executed or believed. */
function plant(directory: string): string {
  const marker = join(directory, "executed");
  const script = `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "");\nprocess.exit(99);\n`;
  const files: Record<string, string> = {
    "bunfig.toml": [
      'preload = ["./evil.ts"]',
      "telemetry = true",
      'logLevel = "debug"',
      "[define]",
      '"process.argv" = "[]"',
      "[run]",
      'preload = ["./evil.ts"]',
      "[test]",
      'preload = ["./evil.ts"]',
    ].join("\n"),
    ".env":
      "BUN_OPTIONS=--preload=./evil.ts\nBUNC_TRACE=1\nXDG_RUNTIME_DIR=/nonexistent\nPATH=/nonexistent\nNO_COLOR=\n",
    ".env.local": "BUN_INSPECT=127.0.0.1:9\nBUNC_TRACE=1\n",
    ".env.production": "BUNC_TRACE=1\n",
    "evil.ts": script,
    "index.ts": script,
    "index.js": script,
    "package.json":
      '{"name":"evil","main":"./index.js","type":"commonjs","imports":{"#*":"./evil.ts"},"bun":{"preload":"./evil.ts"}}',
    "tsconfig.json":
      '{"compilerOptions":{"paths":{"*":["./evil.ts"]},"jsx":"react","jsxImportSource":"evil"},"extends":"./missing.json"}',
    "jsconfig.json": '{"compilerOptions":{"baseUrl":".","paths":{"*":["./evil.ts"]}}}',
    "bun.lockb": "not a lock file",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  for (const name of ["valibot", "citty", "bun:ffi", "node:fs", "evil"]) {
    const path = join(directory, "node_modules", name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "index.js"), script);
    writeFileSync(join(path, "package.json"), `{"name":"${name}","main":"index.js"}`);
  }
  return marker;
}

describe("hostile files in the current directory", () => {
  rootTest("no call runs them or changes because of them", async () => {
    let marker = "";
    const container = await box.create(sleeper(), {
      inBundle: true,
      prepare: (rootfs) => {
        marker = plant(dirname(rootfs));
      },
    });
    expect(container.stdout + container.stderr).toBe("");
    const { path } = container.bundle;
    for (const args of [
      ["start", container.id],
      ["state", container.id],
      ["kill", container.id, "KILL"],
    ]) {
      const { status, stderr } = await box.runtime(args, { cwd: path });
      expect([args[0], status, stderr, existsSync(marker)]).toEqual([args[0], 0, "", false]);
    }
    await container.exit();
    const { status, stderr } = await box.runtime(["delete", container.id], { cwd: path });
    expect([status, stderr, existsSync(marker)]).toEqual([0, "", false]);
  });

  rootTest("run, spec, --version and --help neither", async () => {
    const { path } = box.bundle(config());
    const marker = plant(path);
    expect(await box.runtime(["run", box.id()], { cwd: path })).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    for (const args of [["--version"], ["--help"], ["spec", "--bundle", box.directory("spec")]]) {
      const inside = await command([runtimePath, ...args], { cwd: path });
      expect([args[0], inside.status, inside.stderr]).toEqual([args[0], 0, ""]);
    }
    expect(existsSync(marker)).toBe(false);
  });

  rootTest("with an empty environment neither", async () => {
    const { path } = box.bundle(config());
    const marker = plant(path);
    const result = await command([runtimePath, "--version"], { cwd: path, env: {} });
    expect([result.status, result.stderr, existsSync(marker)]).toEqual([0, "", false]);
  });

  rootTest("files that cannot be parsed are not read", async () => {
    const { path } = box.bundle(config());
    for (const name of ["bunfig.toml", ".env", "package.json", "tsconfig.json"]) {
      writeFileSync(join(path, name), "\0\u0001[[[ {{{ =");
    }
    expect(await box.runtime(["run", box.id()], { cwd: path })).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
  });

  rootTest("a named pipe is not waited for", async () => {
    const { path } = box.bundle(config());
    for (const name of ["bunfig.toml", ".env", "package.json", "tsconfig.json"]) {
      Bun.spawnSync(["mkfifo", join(path, name)]);
    }
    expect((await box.runtime(["run", box.id()], { cwd: path, timeout: 5000 })).status).toBe(0);
  });
});

describe("an environment that was made for another program of Bun's", () => {
  for (const variable of [
    { BUN_BE_BUN: "1" },
    { BUN_OPTIONS: "--preload=./evil.ts --smol" },
    { BUN_INSPECT: "1" },
    { BUN_INSPECT_CONNECT_TO: "ws://127.0.0.1:9" },
    { NODE_OPTIONS: "--require=./evil.ts" },
  ]) {
    rootTest(`changes nothing: ${JSON.stringify(variable)}`, async () => {
      const { path } = box.bundle(config());
      const marker = plant(path);
      const env = { ...process.env, ...variable };
      const plain = await command([runtimePath, "--version"], { cwd: path });
      const told = await command([runtimePath, "--version"], { cwd: path, env });
      expect([told, existsSync(marker)]).toEqual([plain, false]);
      expect(await box.runtime(["run", box.id()], { cwd: path, env })).toEqual({
        status: 0,
        stdout: "",
        stderr: "",
      });
      expect(existsSync(marker)).toBe(false);
    });
  }
});

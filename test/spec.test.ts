/** `spec`: a config.json to start from. */
import { describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./support/config.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("spec");

const read = (directory: string): Config => JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));

describe("spec", () => {
  rootTest("writes config.json into the current directory, and prints nothing", async () => {
    const directory = box.directory("here");
    expect(await box.runtime(["spec"], { cwd: directory })).toEqual({ status: 0, stdout: "", stderr: "" });
    const config = read(directory);
    expect(config.ociVersion).toMatch(/^1\./);
    expect(config.process.args).toEqual(["sh"]);
    expect(config.process.cwd).toBe("/");
    expect(config.root.path).toBe("rootfs");
    expect(config.linux.namespaces.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["pid", "network", "ipc", "uts", "mount"]),
    );
    expect(config.linux.maskedPaths).toContain("/proc/kcore");
    expect(config.linux.readonlyPaths).toContain("/proc/sys");
  });

  rootTest("--bundle names another directory", async () => {
    for (const flag of ["--bundle", "-b"]) {
      const directory = box.directory("there");
      expect((await box.runtime(["spec", flag, directory])).status).toBe(0);
      expect(existsSync(join(directory, "config.json"))).toBe(true);
    }
  });

  peersDiffer({ runc: "it has no such option" })("--file gives it another name", async () => {
    const directory = box.directory("named");
    expect((await box.runtime(["spec", "-f", "other.json"], { cwd: directory })).status).toBe(0);
    expect(readdirSync(directory)).toEqual(["other.json"]);
  });

  rootTest("does not overwrite a config.json", async () => {
    const directory = box.directory("taken");
    writeFileSync(join(directory, "config.json"), "mine");
    const { status, stderr } = await box.runtime(["spec"], { cwd: directory });
    expect(status).toBe(1);
    expect(stderr).toContain("config.json");
    expect(readFileSync(join(directory, "config.json"), "utf8")).toBe("mine");
  });

  rootTest("what it writes runs", async () => {
    const { path } = box.bundle();
    expect((await box.runtime(["spec", "--bundle", path])).status).toBe(0);
    const config = read(path);
    config.process.terminal = false;
    config.process.args = ["sh", "-c", "echo $$ $(id -u) $(hostname)"];
    writeFileSync(join(path, "config.json"), JSON.stringify(config));
    const { status, stdout, stderr } = await box.runtime(["run", "--bundle", path, box.id()]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^1 0 \S+\n$/);
  });

  peersDiffer({ crun: "it leaves the maps to itself at run time" })(
    "--rootless maps the caller to root in a user namespace",
    async () => {
      const directory = box.directory("rootless");
      expect((await box.runtime(["spec", "--rootless", "--bundle", directory])).status).toBe(0);
      const { linux, mounts } = read(directory);
      expect(linux.namespaces.map(({ type }) => type)).toContain("user");
      expect(linux.uidMappings).toEqual([{ containerID: 0, hostID: 0, size: 1 }]);
      expect(linux.gidMappings).toEqual([{ containerID: 0, hostID: 0, size: 1 }]);
      expect(mounts.flatMap(({ options }) => options ?? [])).not.toContain("gid=5");
    },
  );
});

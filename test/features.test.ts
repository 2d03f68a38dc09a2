/** features: what a caller may write into config.json, as runtime-spec's features.md has it. */
import { expect } from "bun:test";
import { command } from "./support/command.ts";
import { findProgram, runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("features");
const featuresTest = peersDiffer({ crun: "crun 1.8.1 has no such command" });

featuresTest("the document has every part that callers read", async () => {
  const { status, stdout, stderr } = await box.runtime(["features"]);
  expect([status, stderr]).toEqual([0, ""]);
  const features = JSON.parse(stdout);
  expect(features).toMatchObject({
    ociVersionMin: "1.0.0",
    ociVersionMax: expect.stringMatching(/^1\.\d+\.\d+/),
    hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    mountOptions: expect.arrayContaining(["bind", "rro", "rbind", "private"]),
    linux: {
      namespaces: expect.arrayContaining(["cgroup", "ipc", "mount", "network", "pid", "user", "uts"]),
      capabilities: expect.arrayContaining(["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"]),
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true },
      seccomp: {
        enabled: true,
        actions: expect.arrayContaining(["SCMP_ACT_ALLOW", "SCMP_ACT_NOTIFY"]),
        operators: expect.arrayContaining(["SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"]),
        archs: expect.arrayContaining(["SCMP_ARCH_AARCH64", "SCMP_ARCH_X86_64"]),
      },
    },
    annotations: { "org.opencontainers.runc.checkpoint.enabled": expect.stringMatching(/^(true|false)$/) },
  });
});

rootTest("it takes no arguments", async () => {
  if (runtimeKind !== "bunc") return;
  expect((await box.runtime(["features", "surplus"])).status).toBe(1);
});

const runc = findProgram("runc");

// Words that bunc hands on to the file system, whose own they are.
const runcsOwn = ["acl", "noacl"];

oursOnly("every part that runc's has is there, with all that is in its lists", async () => {
  if (runc === undefined) return;
  const theirs = JSON.parse((await command([runc, "features"])).stdout);
  const ours = JSON.parse((await box.runtime(["features"])).stdout);
  const lacking: string[] = [];
  const compare = (path: string, mine: unknown, other: unknown): void => {
    if (Array.isArray(other)) {
      const list = Array.isArray(mine) ? mine : [];
      lacking.push(...other.filter((each) => !list.includes(each)).map((each) => `${path}: ${each}`));
    } else if (typeof other === "object" && other !== null) {
      for (const key of Object.keys(other)) {
        if (path === ".annotations") continue;
        const child = (mine as Record<string, unknown> | undefined)?.[key];
        if (child === undefined) lacking.push(`${path}.${key}`);
        else compare(`${path}.${key}`, child, (other as Record<string, unknown>)[key]);
      }
    }
  };
  compare("", ours, theirs);
  expect(lacking.filter((each) => !runcsOwn.some((name) => each.endsWith(`: ${name}`)))).toEqual([]);
});

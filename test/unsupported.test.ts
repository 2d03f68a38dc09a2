/**
 * What bunc does not apply yet it refuses by name, and what a config may well contain without asking for it is taken.
 * A row that fails here is good news: the property works, and its row becomes a test of what it does.
 */
import { describe, expect } from "bun:test";
import { type Change, config } from "./support/config.ts";
import { oursOnly } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("unsupported");

/** Sets a property by its path. */
const set =
  (path: string, value: unknown): Change =>
  (result) => {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let object: Record<string, unknown> = { ...result };
    const root = object;
    for (const key of keys) {
      object[key] = { ...(object[key] as object) };
      object = object[key] as Record<string, unknown>;
    }
    object[last] = value;
    Object.assign(result, root);
  };

const refused: [string, unknown][] = [
  [
    "vm",
    {
      kernel: { path: "/boot/vmlinuz" },
      hypervisor: { path: "/usr/bin/qemu" },
      image: { path: "/x", format: "raw" },
    },
  ],
];

describe("refused by name", () => {
  for (const [path, value] of refused) {
    oursOnly(path, async () => {
      const { status, stderr } = await box.run(
        config((result) => {
          set(path, value)(result);
        }),
      );
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).toContain(path);
      expect(status).toBe(1);
    });
  }
});

describe("taken, for it asks for nothing", () => {
  const idle: [string, unknown][] = [
    ["hooks", {}],
    ["hooks.prestart", []],
    ["annotations", {}],
    ["process.rlimits", []],
    ["process.apparmorProfile", ""],
    ["process.selinuxLabel", ""],
    ["process.commandLine", "ignored on Linux"],
    ["linux.mountLabel", ""],
    ["linux.devices", []],
    ["linux.sysctl", {}],
    ["linux.uidMappings", []],
    ["linux.personality", { domain: "LINUX" }],
    ["linux.resources", {}],
    ["linux.resources.blockIO", {}],
    ["linux.resources.hugepageLimits", []],
    ["linux.resources.network", {}],
    ["windows", { layerFolders: [] }],
    ["zos", {}],
  ];
  for (const [path, value] of idle) {
    oursOnly(`${path}: ${JSON.stringify(value)}`, async () => {
      expect(await box.run(config(set(path, value)))).toEqual({ status: 0, stdout: "", stderr: "" });
    });
  }
});

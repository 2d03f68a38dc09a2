/** What a container that waits for `start` costs, and what its init is. */
import { describe, expect } from "bun:test";
import { closeSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { processStatus, statusField, until } from "./support/command.ts";
import { type Change, sleeper } from "./support/config.ts";
import { fileSeals } from "./support/libc.ts";
import { oursOnly, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("init");

const mapped: Change = (result) => {
  result.linux.namespaces.push({ type: "user" });
  result.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  result.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
};
const kinds: [string, Change][] = [
  ["a container", () => {}],
  ["a container in a user namespace", mapped],
];

for (const [what, change] of kinds) {
  describe(`the waiting init of ${what}`, () => {
    oursOnly("has one thread and at most 32 KiB of its own", async () => {
      const container = await box.create(sleeper(change));
      const rollup = readFileSync(`/proc/${container.pid}/smaps_rollup`, "utf8");
      expect(statusField(processStatus(container.pid), "Threads")).toBe("1");
      expect(Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1])).toBeLessThanOrEqual(32);
      await container.delete();
    });

    oursOnly("is executed from a sealed memfd", async () => {
      const container = await box.create(sleeper(change));
      const path = `/proc/${container.pid}/exe`;
      expect(readlinkSync(path)).toMatch(/^\/memfd:/);
      const fd = openSync(path, "r");
      const [F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE] = [1, 2, 4, 8];
      expect(fileSeals(fd)).toBe(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
      closeSync(fd);
      await container.delete();
    });

    oursOnly("names itself in ps", async () => {
      const container = await box.create(sleeper(change));
      expect(readFileSync(`/proc/${container.pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()).toBe(
        `bunc: init ${container.id}`,
      );
      await container.delete();
    });
  });
}

describe("the program", () => {
  rootTest("replaces init: same process, another executable", async () => {
    const container = await box.create(sleeper());
    await container.start();
    // runc's start does not wait for it.
    await until("the program", () => readlinkSync(`/proc/${container.pid}/exe`).endsWith("/bin/busybox"));
    expect(readFileSync(`/proc/${container.pid}/cmdline`, "utf8")).toBe("sleep\x001000\0");
    await container.delete("--force");
  });
});

describe("the calls on the way", () => {
  rootTest("leave no process behind but init", async () => {
    const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
    const before = new Set(children());
    const container = await box.create(sleeper());
    expect(children().filter((pid) => !before.has(pid))).toEqual([String(container.pid)]);
    await container.start();
    await container.state();
    expect(children().filter((pid) => !before.has(pid))).toEqual([String(container.pid)]);
    await container.delete("--force");
  });
});

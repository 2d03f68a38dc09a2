/** The time namespace and `linux.timeOffsets`: clocks of the container's own. */
import { describe, expect } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { type Change, type Config, config, shell, sleeper } from "./support/config.ts";
import { oursOnly, peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("time");

const clocks: Change = (result) => void result.linux.namespaces.push({ type: "time" });

const mapped: Change = (result) => {
  clocks(result);
  result.linux.namespaces.push({ type: "user" });
  result.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
  result.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
};

const offsets = (change: Change, timeOffsets: unknown) => (result: Config) => {
  change(result);
  Object.assign(result.linux, { timeOffsets });
};

const uptime = (text: string) => Number(text.split(" ")[0]);
const hour = 3600;

const clockTest = peersDiffer({
  runc: "1.1 knows no time namespace",
  crun: "1.8 takes offsets from an annotation only",
});

describe("offsets", () => {
  for (const [who, change] of [
    ["of the caller's user namespace", clocks],
    ["of a user namespace of its own", mapped],
  ] as const) {
    clockTest(`hold for every process of a container ${who}`, async () => {
      const timeOffsets = { boottime: { secs: 10 * hour, nanosecs: 500_000_000 }, monotonic: { secs: 7 } };
      const script =
        "cat /proc/uptime; sed 's/  */ /g' /proc/self/timens_offsets; readlink /proc/self/ns/time";
      const before = uptime(readFileSync("/proc/uptime", "utf8"));
      const { status, stdout, stderr } = await box.run(shell(script, offsets(change, timeOffsets)));
      const after = uptime(readFileSync("/proc/uptime", "utf8"));
      expect([status, stderr]).toEqual([0, ""]);
      const [seen = "", monotonic, boottime, namespace] = stdout.split("\n");
      expect(uptime(seen)).toBeGreaterThanOrEqual(before + 10 * hour);
      expect(uptime(seen)).toBeLessThanOrEqual(after + 10 * hour + 1);
      expect([monotonic, boottime]).toEqual(["monotonic 7 0", `boottime ${10 * hour} 500000000`]);
      expect(namespace).not.toBe(readlinkSync("/proc/self/ns/time"));
    });
  }

  clockTest("may go back, as long as no clock shows less than 0", async () => {
    const back = { boottime: { secs: -1 } };
    expect((await box.run(config(offsets(clocks, back)))).status).toBe(0);
    const { status, stderr } = await box.run(config(offsets(clocks, { boottime: { secs: -4_000_000_000 } })));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*linux\.timeOffsets[^\n]*ERANGE[^\n]*\n$/);
  });

  oursOnly("of none at all leave the caller's time", async () => {
    const script = "sed 's/  */ /g' /proc/self/timens_offsets";
    const { stdout } = await box.run(
      shell(script, offsets(clocks, { monotonic: {}, boottime: { secs: 0 } })),
    );
    expect(stdout).toBe("monotonic 0 0\nboottime 0 0\n");
  });
});

describe("a process that joins later", () => {
  oursOnly("has the container's clocks, by exec and by a namespace's path", async () => {
    const container = await box.create(sleeper(offsets(clocks, { boottime: { secs: 100 * hour } })));
    await container.start();
    const least = uptime(readFileSync("/proc/uptime", "utf8")) + 100 * hour;
    expect(uptime((await container.call("exec", "cat", "/proc/uptime")).stdout)).toBeGreaterThanOrEqual(
      least,
    );
    const path = `/proc/${container.pid}/ns/time`;
    const joined = shell(
      "cat /proc/uptime",
      (result) => void result.linux.namespaces.push({ type: "time", path }),
    );
    expect(uptime((await box.run(joined)).stdout)).toBeGreaterThanOrEqual(least);
    await container.delete("--force");
  });
});

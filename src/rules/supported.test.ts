import { expect, test } from "bun:test";
import { exampleConfig } from "../spec/example.ts";
import { refuseUnsupported } from "./supported.ts";

type Changes = Parameters<typeof exampleConfig>[0];

const REFUSED: [path: string, changes: Changes][] = [["vm", { vm: { kernel: { path: "/k" } } }]];

test.each(REFUSED)("%s", (path, changes) => {
  expect(() => refuseUnsupported(exampleConfig(changes))).toThrow(`${path} is not supported yet`);
});

test("what is empty or the default asks for nothing", () => {
  const config = exampleConfig({
    hooks: { prestart: [], poststop: [] },
    mounts: [{ destination: "/a", uidMappings: [], gidMappings: [] }],
    process: { apparmorProfile: "", selinuxLabel: "", execCPUAffinity: {} },
    linux: {
      mountLabel: "",
      personality: { domain: "LINUX", flags: [] },
      netDevices: {},
      timeOffsets: { monotonic: { secs: 0, nanosecs: 0 } },
      seccomp: { defaultAction: "SCMP_ACT_LOG", listenerPath: "" },
      resources: {
        blockIO: { weight: 0, weightDevice: [] },
        hugepageLimits: [],
        network: {},
        rdma: {},
        memory: { kernel: -1, useHierarchy: false, limit: 5, reservation: 4, swap: 6, swappiness: 1 },
        cpu: { shares: 2, quota: 3, period: 4, cpus: "0", mems: "0", burst: 5, idle: 1 },
        pids: { limit: 5 },
        unified: { "memory.high": "max" },
        devices: [{ allow: false }],
      },
    },
  });
  expect(() => refuseUnsupported(config)).not.toThrow();
});

test("a config as buildah writes it is supported", async () => {
  const { parseConfig } = await import("../spec/parse.ts");
  const bytes = await Bun.file(`${import.meta.dir}/../../test/fixtures/buildah-config.json`).bytes();
  expect(() => refuseUnsupported(parseConfig(bytes))).not.toThrow();
});

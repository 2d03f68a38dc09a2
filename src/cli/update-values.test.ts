import { expect, test } from "bun:test";
import { limitOptions, parseBytes, resourcesOf } from "./update-values.ts";

test.each([
  ["0", 0n],
  ["-1", -1n],
  ["104857600", 104_857_600n],
  ["512k", 524_288n],
  ["100M", 104_857_600n],
  ["10 MiB", 10_485_760n],
  ["1.5G", 1_610_612_736n],
  ["7b", 7n],
  ["2T", 2n ** 41n],
  ["9223372036854775807", 2n ** 63n - 1n],
])("%s bytes", (text, bytes) => {
  expect(parseBytes("memory", text)).toBe(bytes);
});

test.each(["", "x", "-2", "1 0", "5q", "1.M", "0x10"])("%p is no number of bytes", (text) => {
  expect(() => parseBytes("memory", text)).toThrow(`update: --memory: "${text}" is not a number of bytes`);
});

test("every option, in the terms of config.json", () => {
  const values = {
    id: "c",
    "blkio-weight": "300",
    "cpu-period": "50000",
    "cpu-quota": "-1",
    "cpu-burst": "10",
    "cpu-share": "512",
    "cpu-rt-period": "9",
    "cpu-rt-runtime": "8",
    "cpu-idle": "1",
    "cpuset-cpus": "0-1",
    "cpuset-mems": "0",
    memory: "20M",
    "memory-reservation": "10M",
    "memory-swap": "-1",
    "pids-limit": "17",
  };
  expect(Object.keys(values).slice(1)).toEqual([...limitOptions]);
  expect(resourcesOf(values)).toEqual({
    blockIO: { weight: 300 },
    cpu: {
      period: 50_000n,
      quota: -1n,
      burst: 10n,
      shares: 512n,
      realtimePeriod: 9n,
      realtimeRuntime: 8n,
      idle: 1,
      cpus: "0-1",
      mems: "0",
    },
    memory: { limit: 20_971_520n, reservation: 10_485_760n, swap: -1n },
    pids: { limit: 17n },
  });
});

test("what is not given is not changed, nor what runc takes for that", () => {
  expect(resourcesOf({ id: "c", memory: undefined })).toEqual({});
  expect(resourcesOf({ "pids-limit": "0", "blkio-weight": "0" })).toEqual({});
});

test.each([
  ["cpu-share", "-1"],
  ["cpu-quota", "-2"],
  ["cpu-quota", "1.5"],
  ["cpu-idle", "2"],
  ["pids-limit", "many"],
  ["blkio-weight", "x"],
])("--%s %s is refused", (option, text) => {
  expect(() => resourcesOf({ [option]: text })).toThrow(`update: --${option}: "${text}" is not `);
});

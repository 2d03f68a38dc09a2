import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { given } from "../given.ts";
import { countKills } from "./oom.ts";
import { parseCount, parseList, readCount, readTable, unlimited } from "./read-counts.ts";
import { readStats } from "./stats.ts";
import { parseBlockIo } from "./v1/stats.ts";
import { parseIoStat, parsePressure } from "./v2/stats.ts";

/** A directory with the files of a cgroup, for as long as the function runs. */
function withFiles(files: Readonly<Record<string, string>>, use: (path: string) => void): void {
  const path = mkdtempSync("/tmp/bunc-test-stats-");
  try {
    for (const name in files) writeFileSync(join(path, name), files[name] ?? "");
    use(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

test("numbers, as files of cgroups say them", () => {
  expect([parseCount("12\n"), parseCount("-1"), parseCount("max\n"), parseCount("none")]).toEqual([
    12n,
    -1n,
    unlimited,
    0n,
  ]);
  expect(parseCount("9223372036854771712")).toBe(9223372036854771712n);
  expect([parseList("0-2,5\n"), parseList("3"), parseList("\n")]).toEqual([[0, 1, 2, 5], [3], []]);
  expect(readCount("/no/such/file")).toBe(0n);
  expect(readTable("/no/such/file")).toEqual({});
});

test("what is 0 or empty is left out", () => {
  const values = { a: 0n, b: 1n, c: "", d: [], e: {}, f: undefined, g: [0n] };
  expect(given(values)).toEqual({ b: 1n, g: [0n] });
});

test("version 1: the operations of a block device, less their sum", () => {
  expect(parseBlockIo("8:0 Read 4096\n8:0 Write 0\n8:16 12\nTotal 4108\n")).toEqual([
    { major: 8n, op: "Read", value: 4096n },
    { major: 8n, op: "Write" },
    { major: 8n, minor: 16n, value: 12n },
  ]);
});

test("version 1: of the files of a block device's schedulers the first that tells something", () => {
  const files = {
    "blkio.bfq.io_serviced_recursive": "",
    "blkio.throttle.io_serviced_recursive": "8:0 Read 2\n",
    "blkio.throttle.io_service_bytes_recursive": "8:0 Read 8192\n",
  };
  withFiles(files, (path) => {
    const { blkio, memory } = readStats({ kind: "v1", directories: [{ controllers: "blkio", path }] });
    expect(blkio).toEqual({
      ioServicedRecursive: [{ major: 8n, op: "Read", value: 2n }],
      ioServiceBytesRecursive: [{ major: 8n, op: "Read", value: 8192n }],
    });
    expect(memory.usage).toEqual({ limit: 0n, failcnt: 0n });
  });
});

const pressure =
  "some avg10=1.50 avg60=0.00 avg300=0.25 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n";

test("version 2: every count, in the terms of version 1", () => {
  const files = {
    "cpu.stat":
      "usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 4\nnr_throttled 1\nthrottled_usec 3\n",
    "memory.stat": "file 4096\nanon 100\n",
    "memory.current": "1000\n",
    "memory.max": "5000\n",
    "memory.peak": "2000\n",
    "memory.swap.current": "10\n",
    "memory.swap.max": "70\n",
    "memory.pressure": pressure,
    "pids.current": "3\n",
    "pids.max": "max\n",
    "io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n",
    "hugetlb.2MB.current": "2097152\n",
    "hugetlb.2MB.rsvd.current": "9\n",
    "hugetlb.2MB.events": "max 6\n",
  };
  withFiles(files, (path) => {
    const stats = readStats({ kind: "v2", path });
    expect(stats.cpu).toEqual({
      usage: { total: 30_000n, kernel: 20_000n, user: 10_000n },
      throttling: { periods: 4n, throttledPeriods: 1n, throttledTime: 3000n },
    });
    expect(stats.memory).toMatchObject({
      cache: 4096n,
      usage: { limit: 5000n, usage: 1000n, max: 2000n, failcnt: 0n },
      swap: { limit: 5070n, usage: 1010n, failcnt: 0n },
      raw: { anon: 100n, file: 4096n },
      psi: { some: { avg10: 1.5, avg60: 0, avg300: 0.25, total: 77n } },
    });
    expect(stats.pids).toEqual({ current: 3n });
    expect(stats.hugetlb).toEqual({ "2MB": { usage: 2_097_152n, failcnt: 6n } });
    expect(stats.blkio.ioServicedRecursive?.[1]).toEqual({ major: 8n, op: "Write", value: 4n });
  });
});

test("version 2: without a limit, the largest number", () => {
  withFiles({ "memory.max": "max\n", "memory.swap.max": "70\n", "memory.current": "5\n" }, (path) => {
    const { memory } = readStats({ kind: "v2", path });
    expect([memory.usage.limit, memory.swap.limit]).toEqual([unlimited, 70n]);
  });
});

test("version 2: unknown keys of io.stat, and no pressure", () => {
  expect(parseIoStat("8:0 rbytes=1 cost.usage=9\n\n")).toEqual({
    ioServiceBytesRecursive: [{ major: 8n, op: "Read", value: 1n }],
  });
  expect(parsePressure("")).toBeUndefined();
});

test("version 2: how many processes were killed", () => {
  expect(countKills("low 0\noom 3\noom_kill 2\noom_group_kill 0\n")).toBe(2);
  expect(countKills("low 0\n")).toBe(0);
});

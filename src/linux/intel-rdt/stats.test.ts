import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readIntelRdtStats } from "./stats.ts";

const top = mkdtempSync("/tmp/bunc-test-rdt-stats-");
afterAll(() => rmSync(top, { recursive: true }));

const files: Readonly<Record<string, string>> = {
  schemata: "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n",
  "info/L3/cbm_mask": "fffff\n",
  "info/L3/min_cbm_bits": "1\n",
  "info/L3/num_closids": "16\n",
  "info/MB/bandwidth_gran": "10\n",
  "info/MB/delay_linear": "1\n",
  "info/MB/min_bandwidth": "10\n",
  "info/MB/num_closids": "8\n",
  "box/schemata": "    L3:0=f;1=f\n    MB:0=20;1=20\n",
  "box/mon_groups/box/mon_data/mon_L3_00/mbm_total_bytes": "1000\n",
  "box/mon_groups/box/mon_data/mon_L3_00/mbm_local_bytes": "Unavailable\n",
  "box/mon_groups/box/mon_data/mon_L3_00/llc_occupancy": "4096\n",
};
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(top, name)), { recursive: true });
  writeFileSync(join(top, name), text);
}

test("what the machine has, the root's schemata and the container's, and its counts", () => {
  const path = join(top, "box");
  const monitor = join(path, "mon_groups/box");
  expect(readIntelRdtStats({ path, made: "own", monitor }, top)).toEqual({
    l3_cache_info: { cbm_mask: "fffff", min_cbm_bits: 1n, num_closids: 16n },
    l3_cache_schema_root: "L3:0=fffff;1=fffff",
    l3_cache_schema: "L3:0=f;1=f",
    mem_bw_info: { bandwidth_gran: 10n, delay_linear: 1n, min_bandwidth: 10n, num_closids: 8n },
    mem_bw_schema_root: "MB:0=100;1=100",
    mem_bw_schema: "MB:0=20;1=20",
    mbm_stats: [{ mbm_total_bytes: 1000n, mbm_local_bytes: 0n }],
    cmt_stats: [{ llc_occupancy: 4096n }],
  });
});

test("what is not there is left out", () => {
  const nowhere = join(top, "nowhere");
  expect(readIntelRdtStats({ path: nowhere, made: "own", monitor: "" }, nowhere)).toEqual({});
});

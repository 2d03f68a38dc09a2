import { expect, test } from "bun:test";
import { stepMeasure } from "./buildah.ts";
import { drawCharts, type Measured } from "./charts.ts";
import { bunFloor, floorMeasure } from "./latency.ts";
import { peakOf } from "./memory.ts";
import { Samples } from "./samples.ts";

const nothing: Measured = {
  machine: {
    date: "2026-01-02",
    kernel: "6.18.0",
    system: "Debian",
    processor: "Processor",
    cores: 2,
    memoryGiB: 24,
    load: 0,
    layout: "v2",
    fileSystems: { bundles: "ext4", state: "tmpfs" },
    bun: "1.4.5",
    buildah: "1.28.2",
    commit: "abc1234",
  },
  runtimes: [
    { name: "bunc", version: "0.1.0" },
    { name: "crun", version: "1.8.1" },
  ],
  alone: undefined,
  builds: undefined,
  curve: undefined,
};

/** How many bars a chart has. */
const bars = (svg: string | undefined): number => (svg?.match(/aria-roledescription="bar"/g) ?? []).length;

test("what was not measured is not drawn", async () => {
  expect([...(await drawCharts(nothing)).keys()]).toEqual([]);
});

test("a bar for each runtime and command, with the machine, the versions and the date", async () => {
  const alone = new Samples();
  for (const verb of ["create", "state"]) {
    for (const runtime of ["bunc", "crun"]) {
      alone.add(verb, runtime, 5);
      alone.add(peakOf(verb), runtime, 20, "MiB");
    }
  }
  alone.add(floorMeasure, bunFloor, 4);
  const builds = new Samples();
  builds.add(stepMeasure, "bunc", 100);
  const curve = [{ runtime: "bunc", beside: 4.5, milliseconds: 7 }];
  const charts = await drawCharts({ ...nothing, alone, builds, curve });
  expect([...charts.keys()]).toEqual(["latency", "memory", "build", "many"]);
  expect([bars(charts.get("latency")), bars(charts.get("memory")), bars(charts.get("build"))]).toEqual([
    4, 4, 1,
  ]);
  for (const svg of charts.values()) {
    expect(svg).toContain("bunc 0.1.0 (abc1234), crun 1.8.1, Bun 1.4.5, buildah 1.28.2; 2026-01-02");
  }
  expect(charts.get("latency")).toContain("dashed: an empty program");
  expect(charts.get("memory")).not.toContain("dashed: an empty program");
});

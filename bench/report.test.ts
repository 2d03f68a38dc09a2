import { expect, test } from "bun:test";
import { bunFloor, floorMeasure, trueFloor } from "./latency.ts";
import { comparison, crossRatios, differences, floors, heading } from "./report.ts";
import { Samples } from "./samples.ts";

const runtimes = [
  { name: "bunc", version: "0.1.0" },
  { name: "crun", version: "1.8.1" },
  { name: "runc", version: "1.1.5" },
];

function example(): Samples {
  const samples = new Samples();
  for (const time of [0.5, 0.6, 0.7]) samples.add(floorMeasure, trueFloor, time);
  samples.add(floorMeasure, bunFloor, 4);
  samples.add("state", "bunc", 4.2);
  samples.add("state", "crun", 4);
  for (const time of [11, 12, 13]) samples.add("create", "bunc", time);
  for (const time of [20, 24, 28]) samples.add("create", "crun", time);
  samples.add("create", "runc", 48);
  samples.add("create, no profile", "crun", 6);
  samples.add("waiting init, Pss", "bunc", 16, "KiB");
  return samples;
}

test("a comparison has medians, quartiles and the ratios of the first runtime to each other", () => {
  expect(comparison(example(), runtimes).split("\n")).toEqual([
    "| median (quartiles)      |             bunc |             crun |             runc | bunc ÷ crun | bunc ÷ runc |",
    "| ----------------------- | ---------------: | ---------------: | ---------------: | ----------: | ----------: |",
    "| create [ms]             | 12.0 (11.5–12.5) | 24.0 (22.0–26.0) | 48.0 (48.0–48.0) | 0.50 ± 0.05 | 0.25 ± 0.01 |",
    "| create, no profile [ms] |                  | 6.00 (6.00–6.00) |                  |             |             |",
    "| state [ms]              | 4.20 (4.20–4.20) | 4.00 (4.00–4.00) |                  |        1.05 |             |",
    "| waiting init, Pss [KiB] | 16.0 (16.0–16.0) |                  |                  |             |             |",
  ]);
});

test("builds are compared round by round", () => {
  const samples = new Samples();
  for (const time of [10, 20, 30, 40]) samples.add("create", "bunc", time);
  for (const time of [10.5, 20.4, 30.6, 40.5]) samples.add("create", "bunc-old", time);
  for (const time of [9, 19, 29, 39]) samples.add("create", "bunc-new", time);
  for (const time of [1, 2]) samples.add("state", "bunc", time);
  samples.add("state", "bunc-old", 1);
  const names = ["bunc", "crun", "bunc-old", "bunc-new"];
  const subjects = names.map((name) => ({ name, version: "1" }));
  expect(differences(samples, subjects).split("\n")).toEqual([
    "| round by round | bunc-old − bunc | bunc-new − bunc |",
    "| -------------- | --------------: | --------------: |",
    "| create [ms]    |    +0.50 ± 0.02 |    −1.00 ± 0.00 |",
    "| state [ms]     |                 |                 |",
  ]);
  expect(differences(samples, subjects.slice(0, 2))).toBe("");
});

test("without bunc the first of the others is compared", () => {
  expect(comparison(example(), runtimes.slice(1)).split("\n")[2]).toContain("0.50");
});

test("ratios across measures: the floor, and crun without the profile", () => {
  const text = crossRatios(example(), runtimes);
  expect(text).toContain("| bunc state ÷ empty Bun binary                 |        1.05 |");
  expect(text).toContain("| bunc create ÷ crun create without the profile | 2.00 ± 0.09 |");
  expect(text.split("\n")).toHaveLength(4);
});

test("ratios across measures: the last create beside others, and the first", () => {
  const samples = new Samples();
  for (const [measure, time] of [
    ["create beside 0–9 others", 10],
    ["create beside 90–99 others", 11],
    ["create beside 990–999 others", 12],
  ] as const) {
    samples.add(measure, "bunc", time);
  }
  const text = crossRatios(samples, runtimes.slice(0, 1));
  expect(text).toContain("| bunc create beside 990–999 others ÷ the first |  1.20 |");
});

test("the floors are said", () => {
  expect(floors(example())).toContain("/bin/true 0.60 (0.55–0.65) ms; empty Bun binary 4.00 (4.00–4.00) ms.");
});

test("the heading says what was measured, and on what", () => {
  const machine = {
    date: "2026-01-02",
    kernel: "6.18.0",
    system: "Debian GNU/Linux 12 (bookworm)",
    processor: "Processor",
    cores: 2,
    memoryGiB: 24,
    load: 0.125,
    layout: "hybrid" as const,
    fileSystems: { bundles: "ext4", state: "tmpfs" },
    bun: "1.4.5",
    buildah: "1.28.2",
    commit: "abc1234",
  };
  expect(heading(machine, runtimes, 40, 4).split("\n")).toEqual([
    "# bunc, crun, runc: 2026-01-02",
    "",
    "- Machine: Processor, 2 cores, 24 GiB; load 0.13 before the start",
    "- System: Debian GNU/Linux 12 (bookworm), Linux 6.18.0, cgroups hybrid; bundles on ext4, state on tmpfs",
    "- Versions: bunc 0.1.0 (abc1234), crun 1.8.1, runc 1.1.5, Bun 1.4.5, buildah 1.28.2",
    "- 40 rounds, 4 builds, the runtimes taking turns in each; as root",
  ]);
});

/** What create takes at its peak, and what a container holds while it waits for start. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundles } from "./bundle.ts";
import { Driver } from "./container.ts";
import type { Stopwatch } from "./measure.ts";
import type { Cgroups, Runtime } from "./runtimes.ts";
import { Samples } from "./samples.ts";

export const initMeasure = "waiting init, Pss";
export const peakMeasure = "create, peak memory";
export const faultsMeasure = "create, page faults";

function field(path: string, name: string): number {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(path, "utf8"))?.[1];
  if (value === undefined) throw new Error(`${path} has no ${name}`);
  return Number(value);
}

/**
 * A program starts with the peak of who started it, for the kernel carries it over from before exec. The stopwatch's own
 * is that of a Bun process; busybox is small enough to stand between.
 */
class PeakReader {
  readonly #file: string;
  readonly #scale: number;

  constructor(
    readonly stopwatch: Stopwatch,
    readonly rootfs: string,
    directory: string,
  ) {
    this.#file = join(directory, "peak");
    this.#scale = this.#calibrate(directory);
  }

  get before(): string[] {
    return [join(this.rootfs, "bin/busybox"), "time", "-f", "%M %R", "-o", this.#file];
  }

  /** busybox took the kernel's KiB for pages until version 1.37: a process that reads its own peak tells. */
  #calibrate(directory: string): number {
    const copy = join(directory, "status");
    const program = [join(this.rootfs, "bin/busybox"), "cp", "/proc/self/status", copy];
    this.stopwatch.time(this.stopwatch.prepare([...this.before, ...program]));
    return this.#raw().peak > 2 * field(copy, "VmHWM") ? 4 : 1;
  }

  #raw(): { peak: number; faults: number } {
    const [peak = Number.NaN, faults = Number.NaN] = readFileSync(this.#file, "utf8").split(" ").map(Number);
    return { peak, faults };
  }

  /** Of the largest process of the latest command: KiB, and minor page faults of all its processes. */
  read(): { peak: number; faults: number } {
    const { peak, faults } = this.#raw();
    return { peak: peak / this.#scale, faults };
  }
}

export function measureMemory(
  stopwatch: Stopwatch,
  runtimes: readonly Runtime[],
  bundles: Bundles,
  cgroups: Cgroups,
  rootfs: string,
  directory: string,
  rounds: number,
): Samples {
  const samples = new Samples();
  const reader = new PeakReader(stopwatch, rootfs, directory);
  for (let round = 0; round < rounds; round++) {
    for (const runtime of runtimes) {
      const driver = new Driver(stopwatch, runtime, cgroups, bundles.sleep.profile);
      driver.create(reader.before, (pid) => {
        samples.add(initMeasure, runtime.name, field(`/proc/${pid}/smaps_rollup`, "Pss"), "KiB");
      });
      const { peak, faults } = reader.read();
      samples.add(peakMeasure, runtime.name, peak / 1024, "MiB");
      samples.add(faultsMeasure, runtime.name, faults, "1");
    }
  }
  return samples;
}

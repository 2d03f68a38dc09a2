/** What each command takes at its peak, and what a container holds while it waits for start. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Driver } from "./container.ts";
import { bunFloor, floorMeasure, type Latency } from "./latency.ts";
import type { Stopwatch } from "./measure.ts";
import type { Verb } from "./options.ts";
import { Samples } from "./samples.ts";

export const initMeasure = "waiting init, Pss";

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

/** What a measure of memory is called, of a verb or of the floor. */
export const peakOf = (what: string): string => `${what}, peak memory`;
const faultsOf = (what: string): string => `${what}, page faults`;

/** Every verb of every runtime, the waiting init, and an empty Bun program. */
export function measureMemory(latency: Latency, rootfs: string, directory: string, rounds: number): Samples {
  const { stopwatch, runtimes, bundles, cgroups, emptyBinary } = latency;
  const samples = new Samples();
  const reader = new PeakReader(stopwatch, rootfs, directory);
  const take = (what: string, subject: string) => {
    const { peak, faults } = reader.read();
    samples.add(peakOf(what), subject, peak / 1024, "MiB");
    samples.add(faultsOf(what), subject, faults, "1");
  };
  const floor = stopwatch.prepare([...reader.before, emptyBinary]);
  for (let round = 0; round < rounds; round++) {
    stopwatch.time(floor);
    take(floorMeasure, bunFloor);
    for (const runtime of runtimes) {
      const observer = {
        before: reader.before,
        after(verb: Verb, pid: number) {
          take(verb, runtime.name);
          if (verb !== "create") return;
          samples.add(initMeasure, runtime.name, field(`/proc/${pid}/smaps_rollup`, "Pss"), "KiB");
        },
      };
      new Driver(stopwatch, runtime, cgroups, bundles.sleep.profile, observer).lifecycle();
      new Driver(stopwatch, runtime, cgroups, bundles.true.profile, observer).run();
    }
  }
  return samples;
}

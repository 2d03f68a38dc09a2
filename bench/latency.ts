/** How long each invocation takes: every runtime in turn, round after round. */
import type { Bundles, Variant } from "./bundle.ts";
import { Driver, type Lifecycle, total } from "./container.ts";
import { CommandError, type Stopwatch } from "./measure.ts";
import type { Cgroups, Runtime } from "./runtimes.ts";
import { Samples } from "./samples.ts";

export const trueFloor = "/bin/true";
export const bunFloor = "empty Bun binary";
/** The measure that the floors have. */
export const floorMeasure = "floor";

export interface Latency {
  readonly stopwatch: Stopwatch;
  readonly runtimes: readonly Runtime[];
  readonly bundles: Bundles;
  readonly cgroups: Cgroups;
  /** Which of the measures are wanted, by their first word. */
  readonly verbs: ReadonlySet<string>;
  /** The path of a compiled Bun program that does nothing. */
  readonly emptyBinary: string;
}

type Times = readonly (readonly [measure: string, milliseconds: number])[];

/** Something that is measured of every runtime. */
interface Case {
  readonly verbs: readonly string[];
  measure(runtime: Runtime): Times;
}

function lifecycleTimes(times: Lifecycle): Times {
  const { create, start, state, kill } = times;
  return [
    ["create", create],
    ["start", start],
    ["state", state[0]],
    ["state", state[1]],
    ["kill", kill],
    ["delete", times.delete],
    ["lifecycle", total(times)],
  ];
}

function makeCases({ stopwatch, bundles, cgroups }: Latency): Case[] {
  const sleeper = (runtime: Runtime, variant: Variant) =>
    new Driver(stopwatch, runtime, cgroups, bundles.sleep[variant]);
  const run = (runtime: Runtime, variant: Variant) =>
    new Driver(stopwatch, runtime, cgroups, bundles.true[variant]).run();
  const lifecycle = ["create", "start", "state", "kill", "delete", "lifecycle"];
  const made: Case[] = [
    { verbs: lifecycle, measure: (runtime) => lifecycleTimes(sleeper(runtime, "profile").lifecycle()) },
    { verbs: ["run"], measure: (runtime) => [["run", run(runtime, "profile")]] },
  ];
  if (cgroups === "made") return made;
  return [
    ...made,
    {
      verbs: ["create"],
      measure(runtime) {
        runtime.forgetFilters(cgroups);
        return [["create, cold", sleeper(runtime, "profile").create()]];
      },
    },
    {
      verbs: ["create", "lifecycle"],
      measure(runtime) {
        const times = sleeper(runtime, "plain").lifecycle();
        return [
          ["create, no profile", times.create],
          ["lifecycle, no profile", total(times)],
        ];
      },
    },
    { verbs: ["run"], measure: (runtime) => [["run, no profile", run(runtime, "plain")]] },
  ];
}

const verbOf = (measure: string): string => measure.split(",")[0] ?? "";

/** A runtime that could not do what is measured, and what it said. */
export interface Refusal {
  readonly name: string;
  readonly reason: string;
}

/** Parts the runtimes that come through every case once from those that do not. */
export function tryOut(latency: Latency): { working: Runtime[]; refusals: Refusal[] } {
  const cases = makeCases(latency);
  const refusals: Refusal[] = [];
  const working = latency.runtimes.filter((runtime) => {
    try {
      for (const { measure } of cases) measure(runtime);
      return true;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const text = error instanceof CommandError ? error.text.trim() : "";
      refusals.push({ name: runtime.name, reason: text === "" ? error.message : text });
      return false;
    }
  });
  return { working, refusals };
}

/** Throws CommandError when an invocation fails. */
export function measureLatency(latency: Latency, rounds: number): Samples {
  const { stopwatch, runtimes, verbs, emptyBinary } = latency;
  const cases = makeCases(latency).filter((one) => one.verbs.some((verb) => verbs.has(verb)));
  const floors = [
    [trueFloor, stopwatch.prepare(["/bin/true"])],
    [bunFloor, stopwatch.prepare([emptyBinary])],
  ] as const;
  const samples = new Samples();
  // The first round warms up, and is thrown away.
  for (let round = -1; round < rounds; round++) {
    // Here, and not in the middle of a measurement.
    Bun.gc(true);
    const add = (measure: string, subject: string, time: number) => {
      if (round >= 0) samples.add(measure, subject, time);
    };
    for (const [name, command] of floors) add(floorMeasure, name, stopwatch.time(command));
    for (const { measure } of cases) {
      for (let turn = 0; turn < runtimes.length; turn++) {
        // Each goes first as often as the others do, so that nobody always follows the same one.
        const runtime = runtimes[(turn + round + 1) % runtimes.length];
        if (!runtime) continue;
        for (const [name, time] of measure(runtime))
          if (verbs.has(verbOf(name))) add(name, runtime.name, time);
      }
    }
  }
  return samples;
}

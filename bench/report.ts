/** What is printed: Markdown. */

import { bunFloor, floorMeasure, trueFloor } from "./latency.ts";
import type { Machine } from "./machine.ts";
import { isBeside } from "./many.ts";
import type { Runtime } from "./runtimes.ts";
import type { Ratio, Samples } from "./samples.ts";
import { medianError, summarize } from "./statistics.ts";
import { figure, table } from "./table.ts";

/** A runtime, as far as a table needs to know it. */
export type Subject = Pick<Runtime, "name" | "version">;

const labels: Readonly<Record<string, string>> = {
  "create, cold": "create, filter cache removed",
  run: "run /bin/true",
  "run, no profile": "run /bin/true, no profile",
};

/** The order in which measures are shown; those that are not named here come last. */
const order = [
  "create",
  "create, cold",
  "create, no profile",
  "start",
  "state",
  "kill",
  "delete",
  "lifecycle",
  "lifecycle, no profile",
  "run",
  "run, no profile",
];

function rank(measure: string): number {
  const index = order.indexOf(measure);
  return index < 0 ? order.length : index;
}

/** A measure as it is shown, with its unit: "create [ms]". */
function title(samples: Samples, measure: string): string {
  const unit = samples.unit(measure);
  return (labels[measure] ?? measure) + (unit === "1" ? "" : ` [${unit}]`);
}

const isFloor = (measure: string): boolean =>
  measure === floorMeasure || measure.startsWith(`${floorMeasure}, `);

/** The measures that have a row, in their order. */
function shown(samples: Samples): string[] {
  return samples.measures.filter((measure) => !isFloor(measure)).sort((a, b) => rank(a) - rank(b));
}

/** The median, and the quartiles around it: "6.60 (6.41–6.82)". */
function cell(samples: Samples, measure: string, subject: string): string {
  const summary = samples.summary(measure, subject);
  if (!summary) return "";
  const { lower, median, upper } = summary;
  return `${figure(median)} (${figure(lower)}–${figure(upper)})`;
}

/** "0.50 ± 0.02", or without the error where nothing is known of it. */
function renderRatio(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "";
  const { value, error } = ratio;
  return error > 0 ? `${value.toFixed(2)} ± ${error.toFixed(2)}` : value.toFixed(2);
}

/**
 * One row a measure, one column a runtime, and the ratios of the first runtime's medians to those of each other, with their
 * standard errors.
 * @param samples of all these runtimes; the floors are left out
 */
export function comparison(samples: Samples, runtimes: readonly Subject[]): string {
  const [first, ...peers] = runtimes.map(({ name }) => name);
  if (first === undefined) return "nothing was measured";
  const head = ["median (quartiles)", first, ...peers, ...peers.map((peer) => `${first} ÷ ${peer}`)];
  const rows = shown(samples).map((measure) => [
    title(samples, measure),
    ...[first, ...peers].map((name) => cell(samples, measure, name)),
    ...peers.map((peer) => renderRatio(samples.ratio(measure, first, measure, peer))),
  ]);
  return table(head, rows);
}

/**
 * What other builds of the first runtime take more than it: the median of the differences, round by round, with its standard
 * error. What slows the machine for a while slows all of a round, so this shows less than the medians' own spread.
 */
export function differences(samples: Samples, runtimes: readonly Subject[]): string {
  const [first, ...peers] = runtimes.map(({ name }) => name);
  const builds = peers.filter((name) => name.startsWith(`${first}-`));
  if (first === undefined || builds.length === 0) return "";
  const say = (values: readonly number[] | undefined): string => {
    if (!values) return "";
    const summary = summarize(values);
    const { median } = summary;
    return `${median < 0 ? "−" : "+"}${Math.abs(median).toFixed(2)} ± ${medianError(summary).toFixed(2)}`;
  };
  const rows = shown(samples).map((measure) => [
    title(samples, measure),
    ...builds.map((build) => say(samples.differences(measure, build, first))),
  ]);
  return table(["round by round", ...builds.map((build) => `${build} − ${first}`)], rows);
}

/** How the medians stand to those of other measures: where the floor is, and what a perfect filter cache would be. */
export function crossRatios(samples: Samples, runtimes: readonly Subject[]): string {
  const rows: string[][] = [];
  const add = (name: string, value: Ratio | undefined) => {
    if (value !== undefined) rows.push([name, renderRatio(value)]);
  };
  const [first] = runtimes;
  if (first === undefined) return "";
  const { name } = first;
  for (const verb of ["state", "start", "kill", "delete"]) {
    add(`${name} ${verb} ÷ ${bunFloor}`, samples.ratio(verb, name, floorMeasure, bunFloor));
  }
  const crun = runtimes.find((peer) => peer !== first && peer.name.startsWith("crun"));
  if (crun) {
    for (const verb of ["create", "lifecycle", "run"]) {
      const own = `${name} ${verb} ÷ ${crun.name} ${verb} without the profile`;
      add(own, samples.ratio(verb, name, `${verb}, no profile`, crun.name));
    }
  }
  const beside = samples.measures.filter(isBeside);
  const [alone, last] = [beside[0], beside.at(-1)];
  for (const runtime of runtimes) {
    if (alone === undefined || last === undefined || alone === last) continue;
    const value = samples.ratio(last, runtime.name, alone, runtime.name);
    add(`${runtime.name} ${last} ÷ the first`, value);
  }
  return rows.length === 0 ? "" : table(["across", "ratio"], rows);
}

/** What every figure holds of the harness, and of Bun. */
export function floors(samples: Samples): string {
  const say = (name: string) => `${name} ${cell(samples, floorMeasure, name)} ms`;
  return `Every time holds one process started and collected: ${say(trueFloor)}; ${say(bunFloor)}.`;
}

/** "bunc 0.1.0 (abc1234), crun 1.8.1, Bun 1.4.5, buildah 1.28.2" */
export function versions(machine: Machine, runtimes: readonly Subject[]): string {
  return [
    ...runtimes.map(
      ({ name, version }) => `${name} ${version}${name === "bunc" ? ` (${machine.commit})` : ""}`,
    ),
    `Bun ${machine.bun}`,
    `buildah ${machine.buildah}`,
  ].join(", ");
}

/** What an empty Bun program takes, beside the memory of each command. */
export function memoryFloors(samples: Samples): string {
  const shown = samples.measures
    .filter((measure) => measure.startsWith(`${floorMeasure}, `))
    .map((measure) => {
      const unit = samples.unit(measure);
      return `${measure.slice(floorMeasure.length + 2)} ${cell(samples, measure, bunFloor)}${unit === "1" ? "" : ` ${unit}`}`;
    });
  return `An ${bunFloor}: ${shown.join(", ")}.`;
}

/** What the figures were measured on and with. */
export function heading(
  machine: Machine,
  runtimes: readonly Subject[],
  rounds: number,
  builds: number,
): string {
  const { processor, cores, memoryGiB, system, kernel, layout, fileSystems, load } = machine;
  return [
    `# ${runtimes.map(({ name }) => name).join(", ")}: ${machine.date}`,
    "",
    `- Machine: ${processor}, ${cores} cores, ${memoryGiB} GiB; load ${load.toFixed(2)} before the start`,
    `- System: ${system}, Linux ${kernel}, cgroups ${layout}; ` +
      `bundles on ${fileSystems.bundles}, state on ${fileSystems.state}`,
    `- Versions: ${versions(machine, runtimes)}`,
    `- ${rounds} rounds, ${builds} builds, the runtimes taking turns in each; as root`,
  ].join("\n");
}

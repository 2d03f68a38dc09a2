/** Measures bunc beside crun and runc in one run, and prints tables. `--help` says how. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Buildah, stepMeasure } from "./buildah.ts";
import { makeBundles, makeRootfs } from "./bundle.ts";
import { buildEmptyBinary } from "./floor.ts";
import { type Latency, measureLatency, type Refusal, tryOut } from "./latency.ts";
import { describeMachine, type Layout, type Machine } from "./machine.ts";
import { measureMany, type Point } from "./many.ts";
import { Stopwatch } from "./measure.ts";
import { measureMemory } from "./memory.ts";
import { becomeSubreaper, restoreFileLimit } from "./native.ts";
import { type Options, parseOptions, UsageError, usage } from "./options.ts";
import { comparison, crossRatios, differences, floors, heading, memoryFloors } from "./report.ts";
import { findRuntimes, type Runtime } from "./runtimes.ts";
import { Samples } from "./samples.ts";
import {
  currentWorkplace,
  makeDirectories,
  runInside,
  showUnifiedCgroups,
  type Workplace,
} from "./workplace.ts";

const tell = (message: string): void => console.error(`bench: ${message}`);

/** RUN steps of a build. */
const STEPS = 20;

async function measureBuilds(
  buildah: Buildah,
  runtimes: readonly Runtime[],
  builds: number,
): Promise<Samples> {
  const samples = new Samples();
  for (let round = -1; round < builds; round++) {
    for (let turn = 0; turn < runtimes.length; turn++) {
      const runtime = runtimes[(turn + round + 1) % runtimes.length];
      if (!runtime) continue;
      const { steps, whole } = await buildah.build(runtime, "disabled", round < 0 ? 1 : STEPS);
      if (round < 0) continue;
      for (const time of steps) samples.add(stepMeasure, runtime.name, time);
      samples.add(`buildah build of ${STEPS} RUN steps, whole`, runtime.name, whole);
    }
  }
  return samples;
}

/** A part of the output: its title, what is to be known of it, and its figures. */
interface Section {
  readonly title: string;
  readonly notes: readonly string[];
  readonly runtimes: readonly Runtime[];
  readonly samples: Samples;
  readonly curve?: readonly Point[];
}

const titles = {
  alone: "Without cgroups",
  cgroups: "With cgroups",
  buildah: "Under buildah build",
  many: "Many containers",
} as const;

/** Why runtimes are left out of a section. */
function refusalNotes(refusals: readonly Refusal[]): string[] {
  return refusals.map(({ name, reason }) => `${name} is left out: ${reason}.`);
}

function disabledNotes(runtimes: readonly Runtime[], layout: Layout): string[] {
  const place =
    layout === "v1" ? "" : ", where /sys/fs/cgroup is the v2 tree of a cgroup namespace of the bench's own";
  const others = runtimes.filter((runtime) => !runtime.canDisableCgroups).map(({ name }) => name);
  return [
    `With \`--cgroup-manager=disabled\`${place}.`,
    ...(others.length > 0 ? [`${others.join(", ")}: has no such option, and makes a cgroup.`] : []),
  ];
}

function printSection({ title, notes, runtimes, samples }: Section): void {
  const text = [`\n## ${title}\n`, notes.join(" "), "", comparison(samples, runtimes)];
  const builds = differences(samples, runtimes);
  if (builds !== "") text.push("", builds);
  const across = crossRatios(samples, runtimes);
  if (across !== "") text.push("", across);
  console.log(text.join("\n"));
}

/** What every section is measured with. */
interface Bench {
  readonly options: Options;
  readonly place: Workplace;
  readonly rootfs: string;
  readonly buildah: Buildah;
  readonly latency: Omit<Latency, "cgroups">;
}

/** On the machine's own cgroup layout. */
function measureWithCgroups({ options, latency: common }: Bench): Section {
  const latency: Latency = { ...common, cgroups: "made" };
  const { working, refusals } = tryOut(latency);
  tell(`${options.rounds} rounds with cgroups`);
  const samples = measureLatency({ ...latency, runtimes: working }, options.rounds);
  const about = "With the cgroups that each runtime makes for buildah's config.json.";
  const notes = [about, ...refusalNotes(refusals), floors(samples)];
  return { title: titles.cgroups, notes, runtimes: working, samples };
}

function measureWithout(bench: Bench, latency: Latency, notes: readonly string[]): Section {
  const { options, place, rootfs } = bench;
  const samples = new Samples();
  const about = [...notes];
  if (options.parts.has("alone")) {
    tell(`${options.rounds} rounds without cgroups`);
    samples.addAll(measureLatency(latency, options.rounds));
    about.push(floors(samples));
  }
  if (options.parts.has("memory")) {
    const rounds = Math.min(5, options.rounds);
    samples.addAll(measureMemory(latency, rootfs, place.directory, rounds));
    about.push(memoryFloors(samples));
  }
  return { title: titles.alone, notes: about, runtimes: latency.runtimes, samples };
}

async function measureUnderBuildah(
  { buildah, options }: Bench,
  runtimes: readonly Runtime[],
): Promise<Section> {
  tell(`${options.builds} builds of ${STEPS} steps with each runtime`);
  const samples = await measureBuilds(buildah, runtimes, options.builds);
  const about =
    "From the line that announces a step to the next one's, buildah's own work included; without cgroups.";
  return { title: titles.buildah, notes: [about], runtimes, samples };
}

function measureBeside(latency: Latency, count: number): Section {
  tell(`${count} containers of each runtime at once`);
  const { samples, curve } = measureMany(latency, count);
  const about = "Each runtime's own containers wait for start, one runtime after the other; without cgroups.";
  return { title: titles.many, notes: [about], runtimes: latency.runtimes, samples, curve };
}

/** Those on the machine's own cgroup layout come first, for there is no way back to it. */
async function measureSections(bench: Bench): Promise<Section[]> {
  const { parts } = bench.options;
  const sections: Section[] = [];
  if (parts.has("cgroups")) sections.push(measureWithCgroups(bench));
  if (parts.size === 1 && sections.length === 1) return sections;

  const layout = showUnifiedCgroups();
  const latency: Latency = { ...bench.latency, cgroups: "disabled" };
  const { working, refusals } = tryOut(latency);
  for (const note of refusalNotes(refusals)) tell(note);
  if (refusals.length > 0) process.exitCode = 1;
  const notes = [...disabledNotes(working, layout), ...refusalNotes(refusals)];
  if (parts.has("alone") || parts.has("memory")) {
    sections.unshift(measureWithout(bench, { ...latency, runtimes: working }, notes));
  }
  if (parts.has("buildah")) sections.push(await measureUnderBuildah(bench, working));
  if (parts.has("many")) sections.push(measureBeside({ ...latency, runtimes: working }, bench.options.many));
  return sections;
}

async function measure(options: Options, place: Workplace, runtimes: readonly Runtime[]): Promise<Section[]> {
  const rootfs = join(place.directory, "rootfs");
  makeRootfs(rootfs);
  const buildah = new Buildah(join(place.directory, "buildah"));
  buildah.makeImage(rootfs);
  const bundles = makeBundles(buildah, rootfs, place.directory);
  using stopwatch = new Stopwatch(join(place.directory, "messages"));
  const { emptyBinary } = place;
  const latency = { stopwatch, bundles, runtimes, verbs: options.verbs, emptyBinary };
  return await measureSections({ options, place, rootfs, buildah, latency });
}

async function writeCharts(
  directory: string,
  machine: Machine,
  runtimes: readonly Runtime[],
  sections: readonly Section[],
): Promise<void> {
  const section = (title: string) => sections.find((each) => each.title === title);
  // Only here: a drawing library takes longer to load than a whole round.
  const { drawCharts } = await import("./charts.ts");
  const charts = await drawCharts({
    machine,
    runtimes,
    alone: section(titles.alone)?.samples,
    builds: section(titles.buildah)?.samples,
    curve: section(titles.many)?.curve,
  });
  mkdirSync(directory, { recursive: true });
  for (const [name, svg] of charts) writeFileSync(join(directory, `${name}.svg`), svg);
}

async function main(options: Options, place: Workplace): Promise<void> {
  becomeSubreaper();
  restoreFileLimit();
  const runtimes = findRuntimes(options.candidates, place, tell);
  if (runtimes.length === 0) throw new UsageError("no runtime was found");
  const machine = describeMachine(place.directory, place.state);
  const sections = await measure(options, place, runtimes);
  console.log(heading(machine, runtimes, options.rounds, options.builds));
  for (const section of sections) printSection(section);
  if (options.charts !== undefined) await writeCharts(options.charts, machine, runtimes, sections);
  if (options.json === undefined) return;
  const versions = runtimes.map(({ name, path, version }) => ({ name, path, version }));
  const figures = Object.fromEntries(sections.map(({ title, samples }) => [title, samples]));
  writeFileSync(
    options.json,
    `${JSON.stringify({ machine, runtimes: versions, sections: figures }, null, 2)}\n`,
  );
}

async function start(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (!options) {
    console.log(usage);
    return 0;
  }
  if (process.getuid?.() !== 0) throw new UsageError("only root can measure this");
  const place = currentWorkplace();
  if (place) {
    await main(options, place);
    return Number(process.exitCode ?? 0);
  }
  const directories = makeDirectories();
  const emptyBinary = await buildEmptyBinary(directories.directory);
  return await runInside({ ...directories, emptyBinary });
}

try {
  process.exit(await start());
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exit(error instanceof UsageError ? 2 : 1);
}

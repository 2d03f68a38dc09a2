/** Charts of what was measured, as SVG. */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { stepMeasure } from "./buildah.ts";
import { bunFloor, floorMeasure } from "./latency.ts";
import type { Machine } from "./machine.ts";
import type { Point } from "./many.ts";
import { peakOf } from "./memory.ts";
import { type Subject, versions } from "./report.ts";
import type { Samples } from "./samples.ts";

/** What every chart says beneath its title, and what its colours mean. */
interface Frame {
  readonly subtitle: readonly string[];
  readonly colour: object;
}

// Distinct for every kind of sight (Okabe and Ito).
const palette = ["#d55e00", "#0072b2", "#999999", "#009e73", "#cc79a7"];

export function makeFrame(machine: Machine, runtimes: readonly Subject[]): Frame {
  const { processor, cores, system, kernel, date } = machine;
  return {
    subtitle: [
      `${processor}, ${cores} cores; ${system}, Linux ${kernel}`,
      `${versions(machine, runtimes)}; ${date}`,
    ],
    colour: {
      field: "subject",
      title: null,
      scale: { domain: runtimes.map(({ name }) => name), range: palette },
    },
  };
}

interface Bar {
  readonly measure: string;
  readonly subject: string;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** @param measures the names that are shown, and what they are called in samples */
function bars(
  samples: Samples,
  measures: Readonly<Record<string, string>>,
  subjects: readonly string[],
): Bar[] {
  return Object.entries(measures).flatMap(([shown, measure]) =>
    subjects.flatMap((subject) => {
      const summary = samples.summary(measure, subject);
      return summary ? [{ measure: shown, subject, ...summary }] : [];
    }),
  );
}

async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

interface BarChart {
  readonly title: string;
  readonly axis: string;
  readonly values: readonly Bar[];
  /** A line across all: what an empty Bun program takes. */
  readonly floor?: number | undefined;
}

const dashed = { type: "rule" as const, strokeDash: [4, 3], color: "#000000" };

/** Groups of bars, a group a measure, with the quartiles as a line on each. */
async function barChart(frame: Frame, { title, axis, values, floor }: BarChart): Promise<string> {
  const order = [...new Set(values.map(({ measure }) => measure))];
  const x = { field: "measure", type: "nominal" as const, title: null, sort: order, axis: { labelAngle: 0 } };
  const xOffset = { field: "subject", type: "nominal" as const, sort: null };
  const subtitle = [...frame.subtitle];
  if (floor !== undefined) subtitle.push("dashed: an empty program, compiled with Bun");
  return await draw({
    background: "white",
    padding: 12,
    title: { text: title, subtitle, anchor: "start" },
    width: order.length > 1 ? { step: 24 } : 400,
    height: 260,
    data: { values: [...values] },
    layer: [
      {
        mark: { type: "bar" },
        encoding: {
          x,
          xOffset,
          y: { field: "median", type: "quantitative", title: axis },
          color: frame.colour,
        },
      },
      {
        mark: { type: "rule", color: "#333333" },
        encoding: { x, xOffset, y: { field: "lower", type: "quantitative" }, y2: { field: "upper" } },
      },
      // Data of its own, or it would be drawn once for each bar.
      ...(floor ? [{ data: { values: [{}] }, mark: dashed, encoding: { y: { datum: floor } } }] : []),
    ],
  } as TopLevelSpec);
}

async function lineChart(frame: Frame, title: string, curve: readonly Point[]): Promise<string> {
  return await draw({
    background: "white",
    padding: 12,
    title: { text: title, subtitle: [...frame.subtitle], anchor: "start" },
    width: 560,
    height: 240,
    data: { values: curve.map(({ runtime, ...rest }) => ({ subject: runtime, ...rest })) },
    mark: { type: "line", point: true },
    encoding: {
      x: { field: "beside", type: "quantitative", title: "containers that wait already" },
      y: { field: "milliseconds", type: "quantitative", title: "create, ms (medians)" },
      color: frame.colour,
    },
  } as TopLevelSpec);
}

const lifecycle: Readonly<Record<string, string>> = {
  create: "create",
  "create, cold": "create, cold",
  "create, no profile": "create, no profile",
  start: "start",
  state: "state",
  kill: "kill",
  delete: "delete",
  run: "run",
};

/** What was measured in one run; a part that was not is undefined. */
export interface Measured {
  readonly machine: Machine;
  readonly runtimes: readonly Subject[];
  /** Without cgroups: times and memory. */
  readonly alone: Samples | undefined;
  readonly builds: Samples | undefined;
  readonly curve: readonly Point[] | undefined;
}

function latencyChart(frame: Frame, samples: Samples, subjects: readonly string[]): Promise<string> {
  const floor = samples.summary(floorMeasure, bunFloor);
  return barChart(frame, {
    title: "Each command, without cgroups: median and quartiles",
    axis: "ms",
    values: bars(samples, lifecycle, subjects),
    floor: floor?.median,
  });
}

function memoryChart(frame: Frame, samples: Samples, subjects: readonly string[]): Promise<string> {
  const verbs = ["create", "start", "state", "kill", "delete", "run"];
  const floor = samples.summary(peakOf(floorMeasure), bunFloor);
  return barChart(frame, {
    title: "Peak memory of each command",
    axis: "MiB",
    values: bars(samples, Object.fromEntries(verbs.map((verb) => [verb, peakOf(verb)])), subjects),
    floor: floor?.median,
  });
}

/** By file name, without its ending. A chart whose figures were not measured is left out. */
export async function drawCharts({
  machine,
  runtimes,
  alone,
  builds,
  curve,
}: Measured): Promise<Map<string, string>> {
  const frame = makeFrame(machine, runtimes);
  const subjects = runtimes.map(({ name }) => name);
  const charts = new Map<string, string>();
  if (alone?.measures.includes("state")) charts.set("latency", await latencyChart(frame, alone, subjects));
  if (alone?.measures.includes(peakOf("state"))) {
    charts.set("memory", await memoryChart(frame, alone, subjects));
  }
  if (builds) {
    const step = { "RUN step": stepMeasure };
    const values = bars(builds, step, subjects);
    charts.set(
      "build",
      await barChart(frame, {
        title: "A RUN step of buildah build, all of buildah's work included",
        axis: "ms",
        values,
      }),
    );
  }
  if (curve) charts.set("many", await lineChart(frame, "create, beside containers that wait", curve));
  return charts;
}

import { type ArgsDef, defineCommand } from "citty";
import { readResources, type UpdateOptions, updateContainer } from "../container/update.ts";
import type { Resources } from "../spec/types.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";
import { limitOptions, resourcesOf } from "./update-values.ts";
import { UsageError } from "./usage-error.ts";

/** An option with a value. */
const option = (valueHint: string, description: string) =>
  ({ type: "string", valueHint, description }) as const satisfies ArgsDef[string];

const args = {
  id: idArg,
  resources: {
    type: "string",
    alias: "r",
    valueHint: "FILE",
    description:
      "take the limits from FILE, or from standard input for -: JSON as of linux.resources, in part",
  },
  "from-file": { type: "string", alias: "f", valueHint: "FILE", description: "the same as --resources" },
  "blkio-weight": option("WEIGHT", "share of block devices, 10 to 1000"),
  "cpu-period": option("MICROSECONDS", "period in which --cpu-quota counts"),
  "cpu-quota": option("MICROSECONDS", "time of processors in a period; -1 for no limit"),
  "cpu-burst": option("MICROSECONDS", "time above the quota that may be saved up"),
  "cpu-share": option("SHARES", "weight among other containers; 1024 is usual"),
  "cpu-rt-period": option("MICROSECONDS", "period in which --cpu-rt-runtime counts"),
  "cpu-rt-runtime": option("MICROSECONDS", "time in a period for processes with a real-time policy"),
  "cpu-idle": option("0|1", "1 to run only when nobody else wants to"),
  "cpuset-cpus": option("LIST", "processors to use, such as 0-2,5"),
  "cpuset-mems": option("LIST", "memory nodes to use"),
  "kernel-memory": option("BYTES", "accepted, without effect: obsolete"),
  "kernel-memory-tcp": option("BYTES", "accepted, without effect: obsolete"),
  memory: option("BYTES", "limit of memory, such as 512M; -1 for none"),
  "memory-reservation": option("BYTES", "what is left to it when memory lacks"),
  "memory-swap": option("BYTES", "limit of memory and swap together; -1 for none"),
  "pids-limit": option("N", "number of processes; -1 for no limit"),
  "l3-cache-schema": option("SCHEMA", "part of the L3 cache, as in L3:0=f; needs Intel RDT"),
  "mem-bw-schema": option("SCHEMA", "part of the memory bandwidth, as in MB:0=20; needs Intel RDT"),
} satisfies ArgsDef;

const obsolete = ["kernel-memory", "kernel-memory-tcp"] as const;

type Values = Readonly<Record<string, unknown>>;

/** What is to be changed. Throws UsageError, SpecError, SyscallError. */
function changes(values: Values, { log }: Session): Resources {
  for (const name of obsolete) {
    if (values[name] !== undefined) log.warn(`--${name} is obsolete, and without effect`);
  }
  const resources = values.resources ?? values["from-file"];
  if (values.resources !== undefined && values["from-file"] !== undefined) {
    throw new UsageError("update: --resources and --from-file are the same option: give one of them");
  }
  if (typeof resources !== "string") return resourcesOf(values);
  const ignored = limitOptions.filter((name) => values[name] !== undefined);
  if (ignored.length > 0) {
    log.warn(`--resources says it all: without effect are ${ignored.map((name) => `--${name}`).join(", ")}`);
  }
  return readResources(resources);
}

function classOf({
  "l3-cache-schema": l3CacheSchema,
  "mem-bw-schema": memBwSchema,
}: Values): UpdateOptions["intelRdt"] {
  const cache = typeof l3CacheSchema === "string" ? { l3CacheSchema } : {};
  const memory = typeof memBwSchema === "string" ? { memBwSchema } : {};
  const asked = { ...cache, ...memory };
  return Object.keys(asked).length > 0 ? asked : undefined;
}

export const command = defineCommand({
  meta: { name: "update", description: "change the limits of a container" },
  args,
  run({ args: values, data }) {
    const session: Session = data;
    updateContainer({
      root: stateRoot(session.globals.root, false),
      id: values.id,
      log: session.log,
      resources: changes(values, session),
      intelRdt: classOf(values),
    });
  },
});

// Which hierarchy keeps a limit, where version 1 has the controllers and version 2 may be mounted beside it. Pure.
import { SpecError } from "../../../spec/error.ts";
import type { Resources } from "../../../spec/types.ts";
import { isName } from "../layout.ts";
import { type ControllerLimits, unavailable } from "../request.ts";
import { limitsV1 } from "./limits.ts";

export interface Assigned {
  /** In the terms of version 1, for its hierarchies. */
  readonly own: ControllerLimits[];
  /** In the terms of version 2, for its hierarchy: of controllers that no hierarchy of version 1 has. */
  readonly foreign: ControllerLimits[];
}

/**
 * @param available controllers of the hierarchies of version 1
 * @param unified whether the hierarchy of version 2 is there; which controllers it has is found out when they are turned on
 * Throws SpecError for a limit whose controller is nowhere, or whose form is not known where its controller is.
 */
export function assign(resources: Resources, available: readonly string[], unified: boolean): Assigned {
  const own: ControllerLimits[] = [];
  const foreign: ControllerLimits[] = [];
  for (const each of limitsV1(resources)) {
    const { controller, limits } = each;
    if (available.includes(controller)) {
      own.push(each);
      continue;
    }
    const elsewhere = unified ? assignForeign(resources, controller) : undefined;
    if (!elsewhere) throw lacking(limits[0]?.property ?? "", controller, available);
    foreign.push(...elsewhere);
  }
  if (resources.unified) foreign.push(...assignUnified(resources.unified, available, unified));
  return { own, foreign };
}

/** Property of config.json, and name in version 2, of the controllers of version 1 that both have. */
const inBoth: Readonly<Record<string, readonly [key: keyof Resources, name: string]>> = {
  memory: ["memory", "memory"],
  cpuset: ["cpu", "cpuset"],
  cpu: ["cpu", "cpu"],
  pids: ["pids", "pids"],
  blkio: ["blockIO", "io"],
  hugetlb: ["hugepageLimits", "hugetlb"],
  rdma: ["rdma", "rdma"],
};

function assignForeign(resources: Resources, controller: string): ControllerLimits[] | undefined {
  const known = inBoth[controller];
  if (!known) return undefined;
  const [key, name] = known;
  const part = { [key]: resources[key] } as Resources;
  return inV2()
    .limitsV2(part)
    .filter((each) => each.controller === name);
}

function assignUnified(
  files: Readonly<Record<string, string>>,
  available: readonly string[],
  unified: boolean,
): ControllerLimits[] {
  const limits = inV2().limitsV2({ unified: files });
  for (const { file, property } of limits.flatMap((each) => each.limits)) {
    const controller = file.slice(0, file.indexOf("."));
    if (!unified) {
      throw new SpecError(property, "needs cgroup v2, and this machine's controllers belong to cgroup v1");
    }
    if (available.includes(controller === "io" ? "blkio" : controller)) {
      throw new SpecError(
        property,
        `needs the ${controller} controller of cgroup v2, and on this machine it belongs to cgroup v1`,
      );
    }
  }
  return limits;
}

/** Most do without. */
const inV2 = () => require("../v2/limits.ts") as typeof import("../v2/limits.ts");

/** A limit that no hierarchy can keep. */
export function lacking(property: string, controller: string, available: readonly string[]): SpecError {
  const controllers = available.filter((each) => !isName(each));
  return unavailable(property, controller, controllers);
}

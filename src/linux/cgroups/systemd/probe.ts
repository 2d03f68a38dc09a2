import { exists } from "../../../../ffi/file.ts";
import type { CgroupLayout } from "../layout.ts";
import type { BusKind, SystemdFacts } from "./facts.ts";

/** sd_booted(3). */
const booted = "/run/systemd/system";

/**
 * Asks whether there is a systemd that can make cgroups: the machine's for its root, the user's own one for others.
 * @param user whether the caller is not the machine's root
 */
export function probeSystemd(layout: CgroupLayout, user: boolean): SystemdFacts {
  if (!exists(booted)) return { kind: "missing", cause: `systemd does not run here: there is no ${booted}` };
  if (user && layout.kind !== "v2") {
    return {
      kind: "missing",
      cause: "a user's systemd has nothing to give of cgroup v1, which this machine has",
    };
  }
  return ask(user ? "user" : "system");
}

function ask(bus: BusKind): SystemdFacts {
  const { Manager, versionOf } = require("./manager.ts") as typeof import("./manager.ts");
  try {
    using manager = new Manager(bus);
    const version = versionOf(manager);
    const controlGroup = manager.property("ControlGroup");
    return { kind: "running", bus, version, controlGroup: controlGroup === "/" ? "" : controlGroup };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      kind: "missing",
      cause: `the ${bus === "user" ? "user's" : "machine's"} systemd cannot be asked: ${reason}`,
    };
  }
}

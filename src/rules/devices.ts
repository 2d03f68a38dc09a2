/** runtime-spec, config-linux.md, "Devices". */
import { wrong } from "../spec/error.ts";
import { cleanPath } from "../spec/path.ts";
import type { Config } from "../spec/types.ts";

export function devicesAreWhole(config: Config): void {
  for (const [index, device] of (config.linux?.devices ?? []).entries()) {
    const here = `linux.devices[${index}]`;
    if (!device.path.startsWith("/"))
      throw wrong(`${here}.path`, device.path, "an absolute path in the container");
    if (cleanPath(device.path) === "/") throw wrong(`${here}.path`, device.path, "a path below the root");
    if (device.type === "p") continue;
    for (const key of ["major", "minor"] as const) {
      if (device[key] === undefined)
        throw wrong(`${here}.${key}`, undefined, `a number, for a device of type ${device.type}`);
    }
  }
}

import { joinPath } from "../../spec/describe.ts";
import type { Linux } from "../../spec/types.ts";

/** A network device that the container gets. runtime-spec 1.3, config-linux.md "Network Devices". */
export interface PlannedNetDevice {
  /** JSON path of the entry: `linux.netDevices.eth0`. */
  readonly origin: string;
  /** Its name where bunc runs. */
  readonly from: string;
  /** Its name in the container; %d in it stands for the first number that is free. */
  readonly to: string;
}

const none: readonly PlannedNetDevice[] = Object.freeze([]);

/** The devices in the order of their entries; without a new name they keep theirs. */
export function planNetDevices(devices: Linux["netDevices"]): readonly PlannedNetDevice[] {
  if (devices === undefined) return none;
  return Object.freeze(
    Object.entries(devices).map(([from, { name }]) => ({
      origin: joinPath("linux.netDevices", from),
      from,
      to: name || from,
    })),
  );
}

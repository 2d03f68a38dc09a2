import { SpecError } from "../../spec/error.ts";
import { writeSchemata } from "./apply.ts";
import type { IntelRdtRecord } from "./groups.ts";
import type { PlannedIntelRdt } from "./plan.ts";

/**
 * Changes the class of service of a container that is in one already.
 * @param plan of the schemata that are asked for; where it leads does not matter
 * Throws SpecError for a class that others made, who may be in it, too, and for schemata that the kernel refuses.
 */
export function updateClass({ path, made }: IntelRdtRecord, plan: PlannedIntelRdt): void {
  if (made === "given") {
    throw new SpecError(
      "linux.intelRdt",
      `cannot be changed: the container is in ${path}, a class that was there before it, and others may be in it`,
    );
  }
  writeSchemata({ ...plan, path });
}

/** runtime-spec, config-linux.md, "Memory policy"; set_mempolicy(2) and mpol_new() in mm/mempolicy.c for what goes with which mode. */
import { SpecError, wrong } from "../spec/error.ts";
import { readNumberList } from "../spec/number-list.ts";
import type { Config } from "../spec/types.ts";

const path = "linux.memoryPolicy";
const withoutNodes: readonly string[] = ["MPOL_DEFAULT", "MPOL_LOCAL"];
const balanced: readonly string[] = ["MPOL_BIND", "MPOL_PREFERRED_MANY"];

export function memoryPolicyFitsMode(config: Config): void {
  const policy = config.linux?.memoryPolicy;
  if (policy === undefined) return;
  const { mode, nodes = "", flags = [] } = policy;
  const ranges = readNumberList(nodes);
  if (ranges === undefined) throw wrong(`${path}.nodes`, nodes, "a list of nodes, such as 0-3,7");
  if (withoutNodes.includes(mode)) {
    if (ranges.length > 0)
      throw new SpecError(`${path}.nodes`, `does not go with ${mode}, which has no nodes`);
    if (flags.length > 0)
      throw new SpecError(`${path}.flags[0]`, `does not go with ${mode}, which has no flags`);
  }
  // Preferring none is preferring the node that the process runs on.
  if (ranges.length === 0 && !withoutNodes.includes(mode) && mode !== "MPOL_PREFERRED") {
    throw new SpecError(`${path}.nodes`, `is missing: ${mode} needs a list of nodes, such as 0-3,7`);
  }
  flagsFit(mode, flags, ranges.length > 0);
}

function flagsFit(mode: string, flags: readonly string[], hasNodes: boolean): void {
  const at = (flag: string) => flags.indexOf(flag);
  const balancing = at("MPOL_F_NUMA_BALANCING");
  if (balancing >= 0 && !balanced.includes(mode)) {
    throw new SpecError(
      `${path}.flags[${balancing}]`,
      `does not go with ${mode}: only ${balanced.join(" and ")} have it`,
    );
  }
  const [fixed, relative] = [at("MPOL_F_STATIC_NODES"), at("MPOL_F_RELATIVE_NODES")];
  if (fixed >= 0 && relative >= 0) {
    throw new SpecError(
      `${path}.flags[${Math.max(fixed, relative)}]`,
      "contradicts the other: nodes are static or relative",
    );
  }
  if (!hasNodes && Math.max(fixed, relative) >= 0) {
    throw new SpecError(
      `${path}.flags[${Math.max(fixed, relative)}]`,
      "says something of nodes, and there are none",
    );
  }
}

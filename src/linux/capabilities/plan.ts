import { CAP, type CapabilityName } from "../../../ffi/constants/capability.ts";
import { quote } from "../../spec/describe.ts";
import type { Capabilities } from "../../spec/types.ts";

/** Capability sets as bit masks, bit N for capability N. capabilities(7). */
export interface PlannedCapabilities {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
  /** Number of the last capability that the kernel knows. */
  readonly last: number;
}

export interface CapabilityContext {
  /** What can be had: the caller's bounding set, or everything in a new user namespace. */
  readonly available: bigint;
  readonly last: number;
}

/** The planned sets, and what was asked for and cannot be had: the spec wants a warning for it, not an error. */
export interface CapabilityPlan {
  readonly capabilities: PlannedCapabilities;
  readonly warnings: readonly string[];
}

/** Without `process.capabilities` a container has none. */
export function planCapabilities(
  asked: Capabilities | undefined,
  context: CapabilityContext,
): CapabilityPlan {
  const warnings = new Set<string>();
  const mask = (names: readonly string[] | undefined): bigint => {
    let bits = 0n;
    for (const name of names ?? []) bits |= bitOf(name, context, warnings);
    return bits;
  };
  const bounding = mask(asked?.bounding);
  const permitted = mask(asked?.permitted);
  const inheritable = mask(asked?.inheritable);
  const capabilities = Object.freeze({
    bounding,
    permitted,
    inheritable,
    effective: mask(asked?.effective) & permitted,
    // The kernel raises an ambient capability only when it is permitted and inheritable: buildah asks without.
    ambient: mask(asked?.ambient) & permitted & inheritable,
    last: context.last,
  });
  return { capabilities, warnings: [...warnings] };
}

function bitOf(name: string, { available, last }: CapabilityContext, warnings: Set<string>): bigint {
  const number = CAP[name as CapabilityName];
  if (number === undefined || number > last) {
    warnings.add(`process.capabilities: ${quote(name)} is not known to this kernel; it is left out`);
    return 0n;
  }
  const bit = 1n << BigInt(number);
  if ((available & bit) === 0n) {
    warnings.add(`process.capabilities: ${name} is not the caller's to give; it is left out`);
    return 0n;
  }
  return bit;
}

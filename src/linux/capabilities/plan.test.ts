import { expect, test } from "bun:test";
import { CAP } from "../../../ffi/constants/capability.ts";
import { planCapabilities } from "./plan.ts";

const bit = (number: number) => 1n << BigInt(number);
const context = { available: bit(CAP.CAP_CHOWN) | bit(CAP.CAP_KILL), last: 40 };

test("without process.capabilities a container has none", () => {
  const { capabilities, warnings } = planCapabilities(undefined, context);
  expect(capabilities).toEqual({
    bounding: 0n,
    effective: 0n,
    permitted: 0n,
    inheritable: 0n,
    ambient: 0n,
    last: 40,
  });
  expect(warnings).toEqual([]);
});

test("what is unknown or not the caller's is left out with one warning each", () => {
  const names = ["CAP_CHOWN", "CAP_SYS_BOOT", "CAP_NEW"];
  const { capabilities, warnings } = planCapabilities(
    { bounding: names, permitted: names, effective: names },
    context,
  );
  expect(capabilities.bounding).toBe(bit(CAP.CAP_CHOWN));
  expect(warnings.length).toBe(2);
  expect(warnings[0]).toContain("CAP_SYS_BOOT is not the caller's to give");
  expect(warnings[1]).toContain('"CAP_NEW" is not known to this kernel');
});

test("ambient capabilities must be permitted and inheritable, effective ones permitted", () => {
  const both = ["CAP_CHOWN", "CAP_KILL"];
  const { capabilities } = planCapabilities(
    { bounding: both, permitted: both, inheritable: ["CAP_KILL"], ambient: both, effective: both },
    context,
  );
  expect(capabilities.ambient).toBe(bit(CAP.CAP_KILL));
  expect(planCapabilities({ permitted: both, ambient: both }, context).capabilities.ambient).toBe(0n);
  expect(planCapabilities({ effective: both }, context).capabilities.effective).toBe(0n);
});

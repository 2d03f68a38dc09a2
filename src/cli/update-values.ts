// What the options of `update` mean: the limits that they name.
import type { Resources } from "../spec/types.ts";
import { UsageError } from "./usage-error.ts";

function wrong(option: string, text: string, right: string): UsageError {
  return new UsageError(`update: --${option}: "${text}" is not ${right}`);
}

const units = "kmgtp";

/** Bytes: a number, or one with a unit of 1024, as in 512k, 1.5G, 10MiB; -1 for no limit. docker's go-units, RAMInBytes. */
export function parseBytes(option: string, text: string): bigint {
  if (text === "-1") return -1n;
  const match = /^(\d+)(\.\d+)? ?(?:([kmgtp])(?:i?b)?|b)?$/i.exec(text);
  if (!match)
    throw wrong(option, text, "a number of bytes, such as 104857600, 100M or 1.5G, nor -1 for no limit");
  const [, whole = "", fraction = "", unit = ""] = match;
  const factor = unit === "" ? 1n : 1024n ** BigInt(units.indexOf(unit.toLowerCase()) + 1);
  return BigInt(whole) * factor + BigInt(Math.floor(Number(`0${fraction}`) * Number(factor)));
}

/** @param least the least number that it may be */
export function parseWhole(option: string, text: string, least: bigint): bigint {
  if (/^-?\d+$/.test(text) && BigInt(text) >= least) return BigInt(text);
  throw wrong(option, text, `a whole number of ${least} or more`);
}

function parseWeight(option: string, text: string): number {
  return Number(parseWhole(option, text, 0n));
}

function parseIdle(option: string, text: string): number {
  if (text === "0" || text === "1") return Number(text);
  throw wrong(option, text, "0 or 1");
}

const bytes = (key: "limit" | "reservation" | "swap") => (option: string, text: string) => ({
  memory: { [key]: parseBytes(option, text) },
});
const unsigned =
  (key: "period" | "burst" | "shares" | "realtimePeriod") => (option: string, text: string) => ({
    cpu: { [key]: parseWhole(option, text, 0n) },
  });
const signed = (key: "quota" | "realtimeRuntime") => (option: string, text: string) => ({
  cpu: { [key]: parseWhole(option, text, -1n) },
});

/** What each option changes. */
const meanings: Readonly<Record<string, (option: string, text: string) => Resources>> = {
  "blkio-weight": (option, text) => ({ blockIO: { weight: parseWeight(option, text) } }),
  "cpu-period": unsigned("period"),
  "cpu-quota": signed("quota"),
  "cpu-burst": unsigned("burst"),
  "cpu-share": unsigned("shares"),
  "cpu-rt-period": unsigned("realtimePeriod"),
  "cpu-rt-runtime": signed("realtimeRuntime"),
  "cpu-idle": (option, text) => ({ cpu: { idle: parseIdle(option, text) } }),
  "cpuset-cpus": (_, text) => ({ cpu: { cpus: text } }),
  "cpuset-mems": (_, text) => ({ cpu: { mems: text } }),
  memory: bytes("limit"),
  "memory-reservation": bytes("reservation"),
  "memory-swap": bytes("swap"),
  "pids-limit": (option, text) => ({ pids: { limit: parseWhole(option, text, -1n) } }),
};

/** Whose 0 means that nothing is asked for, as it does to runc. */
const zeroIsNothing: readonly string[] = ["blkio-weight", "pids-limit"];

/**
 * The limits that options of `update` name.
 * @param values the options that were given, by name; those without a meaning here are passed over
 * Throws UsageError.
 */
export function resourcesOf(values: Readonly<Record<string, unknown>>): Resources {
  const resources: Record<string, object> = {};
  for (const [option, meaning] of Object.entries(meanings)) {
    const text = values[option];
    if (typeof text !== "string" || (text === "0" && zeroIsNothing.includes(option))) continue;
    for (const [chapter, value] of Object.entries(meaning(option, text))) {
      resources[chapter] = { ...resources[chapter], ...value };
    }
  }
  return resources;
}

/** Names of the options that change limits. */
export const limitOptions: readonly string[] = Object.keys(meanings);

import type { Config, Linux } from "../spec/types.ts";
import { cgroupsPathStaysInside, memoryIsCounted, swapCoversMemory, unifiedKeysAreFiles } from "./cgroups.ts";
import { devicesAreWhole } from "./devices.ts";
import { annotationsHaveKeys, rootHasPath } from "./document.ts";
import { hooksAreAbsolute } from "./hooks.ts";
import {
  idMappingsAreSound,
  idMappingsHaveNamespace,
  newUserNamespaceHasMappings,
  userIsMapped,
} from "./id-mappings.ts";
import { closIdIsName, memBwSchemaIsOfBandwidth } from "./intel-rdt.ts";
import {
  coveredPathsAreAbsolute,
  mountMappingsComeInPairs,
  mountsHaveDestination,
  mountsHaveSource,
} from "./mounts.ts";
import {
  namespacePathsAreAbsolute,
  namespacesAreUnique,
  netDevicesHaveGoodNames,
  netDevicesHaveNamespace,
  timeOffsetsHaveNamespace,
  treeChangesHaveNamespace,
  utsNamesHaveNamespace,
} from "./namespaces.ts";
import { argsNameProgram, cwdIsAbsolute, envHasNames, rlimitsAreSound } from "./process.ts";
import {
  seccompErrnoFits,
  seccompLeavesWrite,
  seccompListenerIsWhole,
  seccompRulesHaveNames,
  startHooksNeedNoAgent,
} from "./seccomp.ts";
import { sysctlsAreNamespaced } from "./sysctl.ts";

/** A rule looks at several properties together, touches nothing else, and throws a SpecError. */
type Rule = (config: Config) => void;

/** Those that something missing can break, and those about several parts. */
const GENERAL: readonly Rule[] = [
  rootHasPath,
  seldomFits,
  utsNamesHaveNamespace,
  treeChangesHaveNamespace,
  idMappingsHaveNamespace,
  idMappingsAreSound,
  coveredPathsAreAbsolute,
];

// Of the others each is about one part of config.json, and asked only where that is: a function costs 4 µs when it is called
// first, even if there is nothing to do.

const OF_CONFIG: Partial<Record<keyof Config, readonly Rule[]>> = {
  process: [argsNameProgram, cwdIsAbsolute, envHasNames, rlimitsAreSound],
  annotations: [annotationsHaveKeys],
  mounts: [mountsHaveDestination, mountsHaveSource, mountMappingsComeInPairs],
  hooks: [hooksAreAbsolute, startHooksNeedNoAgent],
};

const OF_LINUX: Partial<Record<keyof Linux, readonly Rule[]>> = {
  namespaces: [namespacesAreUnique, namespacePathsAreAbsolute, newUserNamespaceHasMappings, userIsMapped],
  netDevices: [netDevicesHaveGoodNames, netDevicesHaveNamespace],
  timeOffsets: [timeOffsetsHaveNamespace],
  devices: [devicesAreWhole],
  sysctl: [sysctlsAreNamespaced],
  seccomp: [seccompErrnoFits, seccompRulesHaveNames, seccompListenerIsWhole, seccompLeavesWrite],
  cgroupsPath: [cgroupsPathStaysInside],
  resources: [unifiedKeysAreFiles, memoryIsCounted, swapCoversMemory],
  intelRdt: [closIdIsName, memBwSchemaIsOfBandwidth],
};

/**
 * Checks what the shapes of single properties cannot: that they go together, and that the kernel could take them.
 * A config without a process passes, for `create` may do without one.
 *
 * @throws SpecError of the first rule that is broken.
 */
export function checkBundle(config: Config): void {
  for (const rule of GENERAL) rule(config);
  checkParts(config, config, OF_CONFIG);
  if (config.linux) checkParts(config, config.linux, OF_LINUX);
}

function checkParts<T extends object>(
  config: Config,
  whole: T,
  rules: Partial<Record<keyof T, readonly Rule[]>>,
): void {
  for (const part in rules) {
    if (whole[part] === undefined) continue;
    for (const rule of rules[part] ?? []) rule(config);
  }
}

function seldomFits(config: Config): void {
  const { process, linux } = config;
  const has = process?.scheduler ?? process?.execCPUAffinity ?? linux?.memoryPolicy ?? linux?.personality;
  if (has === undefined) return;
  const { checkSeldom } = require("./seldom.ts") as typeof import("./seldom.ts");
  checkSeldom(config);
}

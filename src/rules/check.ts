import type { Config } from "../spec/types.ts";
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

const RULES: readonly Rule[] = [
  rootHasPath,
  argsNameProgram,
  cwdIsAbsolute,
  envHasNames,
  rlimitsAreSound,
  seldomFits,
  annotationsHaveKeys,
  namespacesAreUnique,
  namespacePathsAreAbsolute,
  utsNamesHaveNamespace,
  treeChangesHaveNamespace,
  netDevicesHaveGoodNames,
  netDevicesHaveNamespace,
  timeOffsetsHaveNamespace,
  idMappingsHaveNamespace,
  newUserNamespaceHasMappings,
  idMappingsAreSound,
  userIsMapped,
  mountsHaveDestination,
  mountsHaveSource,
  mountMappingsComeInPairs,
  coveredPathsAreAbsolute,
  devicesAreWhole,
  hooksAreAbsolute,
  sysctlsAreNamespaced,
  seccompErrnoFits,
  seccompRulesHaveNames,
  seccompListenerIsWhole,
  seccompLeavesWrite,
  startHooksNeedNoAgent,
  cgroupsPathStaysInside,
  unifiedKeysAreFiles,
  memoryIsCounted,
  swapCoversMemory,
  closIdIsName,
  memBwSchemaIsOfBandwidth,
];

/**
 * Checks what the shapes of single properties cannot: that they go together, and that the kernel could take them.
 * A config without a process passes, for `create` may do without one.
 *
 * @throws SpecError of the first rule that is broken.
 */
export function checkBundle(config: Config): void {
  for (const rule of RULES) rule(config);
}

function seldomFits(config: Config): void {
  const { process, linux } = config;
  const has = process?.scheduler ?? process?.execCPUAffinity ?? linux?.memoryPolicy ?? linux?.personality;
  if (has === undefined) return;
  const { checkSeldom } = require("./seldom.ts") as typeof import("./seldom.ts");
  checkSeldom(config);
}

// What bunc can do, for callers that ask before they write a config.json. runtime-spec 1.3.0, features.md and
// features-linux.md. Every list comes from the table that implements it.
import { CAP } from "../../ffi/constants/capability.ts";
import { ERRNO } from "../../ffi/constants/errno.ts";
import { SECCOMP, SECCOMP_FILTER_FLAG } from "../../ffi/constants/process.ts";
import { MPOL, MPOL_F } from "../../ffi/constants/scheduling.ts";
import { SECCOMP_ARCH } from "../../ffi/constants/seccomp.ts";
import { attempt } from "../../ffi/libc.ts";
import { cgroupFeatures } from "../linux/cgroups/features.ts";
import { subgroupAnnotation, systemdPropertyPrefix } from "../linux/cgroups/systemd/annotations.ts";
import { keepGroupsAnnotation } from "../linux/credentials/plan.ts";
import { hookOutputAnnotations } from "../linux/hooks/apply.ts";
import { hookNames } from "../linux/hooks/plan.ts";
import { mountOptions } from "../linux/mounts/options.ts";
import { namespaceNames } from "../linux/namespaces/plan.ts";
import { rootEmulationAnnotation } from "../linux/root-emulation/plan.ts";
import { failUnknownAnnotation, receiverAnnotation } from "../linux/seccomp/annotations.ts";
import { seccompActions, seccompFlags, seccompOperators } from "../linux/seccomp/plan.ts";
import { isSupported } from "../rules/supported.ts";
import { ociVersion } from "../state/record.ts";
import { pidfdAnnotation } from "./create.ts";
import { criuConfigAnnotation } from "./criu.ts";

/** The oldest version of the specification whose config.json is understood. */
const ociVersionMin = "1.0.0";

/** Annotations of config.json that change what a container is: an image's author should not be able to set them. */
const unsafeAnnotations: readonly string[] = [
  keepGroupsAnnotation,
  pidfdAnnotation,
  rootEmulationAnnotation,
  // One that ends with a dot stands for all that begin with it.
  systemdPropertyPrefix,
  receiverAnnotation,
  failUnknownAnnotation,
  ...Object.values(hookOutputAnnotations),
  criuConfigAnnotation,
  subgroupAnnotation,
];

/**
 * The features document. It says what bunc implements, whatever this machine has, but for the flags of seccomp, of which
 * the specification asks for those that the kernel takes as well.
 * @param annotations further facts, for callers that know bunc
 */
export function describeFeatures(annotations: Readonly<Record<string, string>>): object {
  return {
    ociVersionMin,
    ociVersionMax: ociVersion,
    hooks: hookNames,
    mountOptions: Object.keys(mountOptions).sort(),
    linux: {
      namespaces: [...namespaceNames].sort(),
      capabilities: Object.keys(CAP),
      cgroup: { ...cgroupFeatures, rdma: isSupported("linux.resources.rdma") },
      seccomp: describeSeccomp(),
      apparmor: { enabled: isSupported("process.apparmorProfile") },
      selinux: { enabled: isSupported("process.selinuxLabel") },
      intelRdt: describeIntelRdt(isSupported("linux.intelRdt")),
      mountExtensions: { idmap: { enabled: Object.hasOwn(mountOptions, "idmap") } },
      memoryPolicy: describeMemoryPolicy(),
      netDevices: { enabled: isSupported("linux.netDevices") },
    },
    annotations,
    potentiallyUnsafeConfigAnnotations: [...unsafeAnnotations].sort(),
  };
}

/** All that the property can say, or nothing of it. */
function describeIntelRdt(enabled: boolean): object {
  return { enabled, schemata: enabled, monitoring: enabled };
}

function describeMemoryPolicy(): object {
  return {
    modes: Object.keys(MPOL)
      .map((name) => `MPOL_${name}`)
      .sort(),
    flags: Object.keys(MPOL_F)
      .map((name) => `MPOL_F_${name}`)
      .sort(),
  };
}

function describeSeccomp(): object {
  const names = Object.keys(seccompFlags) as (keyof typeof seccompFlags)[];
  return {
    enabled: true,
    actions: Object.keys(seccompActions).sort(),
    operators: Object.keys(seccompOperators).sort(),
    archs: Object.keys(SECCOMP_ARCH)
      .map((name) => `SCMP_ARCH_${name}`)
      .sort(),
    knownFlags: [...names].sort(),
    supportedFlags: names.filter((name) => kernelTakes(seccompFlags[name])).sort(),
  };
}

/** Without a filter the kernel fails in one of two ways: it looks at the flags first. seccomp(2), EINVAL and EFAULT. */
function kernelTakes(flag: number): boolean {
  // This one is refused unless somebody is to be notified.
  const companion = flag === SECCOMP_FILTER_FLAG.WAIT_KILLABLE_RECV ? SECCOMP_FILTER_FLAG.NEW_LISTENER : 0;
  return attempt.seccomp(SECCOMP.SET_MODE_FILTER, flag | companion, null) === -ERRNO.EFAULT;
}

import { CLONE } from "../../ffi/constants/process.ts";
import { type MountContext, type PlannedMount, planMount } from "../linux/mounts/plan.ts";
import { SpecError } from "../spec/error.ts";
import type { Config, Mount } from "../spec/types.ts";

/** What mounts that a container gets later depend on. */
export interface LaterMountFacts {
  /** Absolute path of the bundle: relative sources are seen from it. */
  readonly bundle: string;
  /** The namespaces that the container does not share with the caller: CLONE_NEW* or-ed. */
  readonly foreign: number;
  readonly selinux: boolean;
}

/** Mounts for a container that is there already, decided. */
export interface LaterMountPlan {
  readonly mounts: readonly PlannedMount[];
  /** The namespaces to join: CLONE_NEW* or-ed. */
  readonly joins: number;
  readonly joinsUser: boolean;
}

/** The one takes a process outside that copies, the other is no mount at all. */
const onlyCreate: readonly string[] = ["tmpcopyup", "copy-symlink"];

/** They show what belongs to a process, and whoever adds a mount is no process of the container's. */
const ofProcesses: readonly string[] = ["proc", "cgroup", "cgroup2"];

/**
 * Decides about mounts that a container gets after it was created. Pure.
 * @param config the container's
 * Throws SpecError for what only `create` can mount, and for a container without a mount namespace of its own.
 */
export function resolveLaterMounts(
  mounts: readonly Mount[],
  config: Config,
  facts: LaterMountFacts,
): LaterMountPlan {
  const has = (flag: number) => (facts.foreign & flag) !== 0;
  if (!has(CLONE.NEWNS)) {
    throw new SpecError("mounts", "cannot be changed: the container has no mount namespace of its own");
  }
  const linux = config.linux ?? {};
  const context: MountContext = {
    bundle: facts.bundle,
    userNamespace: has(CLONE.NEWUSER),
    // The caller's paths are not the container's.
    openEarly: true,
    links: new Map(),
    ids: {
      kind: has(CLONE.NEWUSER) ? "new" : "inherit",
      uid: linux.uidMappings ?? [],
      gid: linux.gidMappings ?? [],
    },
    ownsMounts: true,
    directoryModes: new Map(),
    label: facts.selinux ? (linux.mountLabel ?? "") : "",
    ownQueues: has(CLONE.NEWIPC),
    pidInherited: !has(CLONE.NEWPID),
    cgroupNamespace: has(CLONE.NEWCGROUP),
    cgroupView: { kind: "none" },
  };
  const planned = mounts.map((mount, index) => planLater(mount, index, context));
  const wanted = CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWNET | CLONE.NEWIPC;
  return Object.freeze({ mounts: planned, joins: facts.foreign & wanted, joinsUser: has(CLONE.NEWUSER) });
}

function planLater(mount: Mount, index: number, context: MountContext): PlannedMount {
  const isBind = mount.options?.some((option) => option === "bind" || option === "rbind") === true;
  if (!isBind && ofProcesses.includes(mount.type ?? "")) {
    throw new SpecError(
      `mounts[${index}].type`,
      `is ${mount.type}: only create can mount one, for it shows what belongs to a process of the container`,
    );
  }
  const planned = planMount(mount, index, context);
  for (const [at, option] of (mount.options ?? []).entries()) {
    if (!onlyCreate.includes(option)) continue;
    throw new SpecError(`mounts[${index}].options[${at}]`, `is ${option}, which only create can do`);
  }
  if (planned.idmap.kind === "none") return planned;
  throw new SpecError(planned.idmap.origin, "is not supported for a mount that is added later");
}

import { SpecError } from "../../spec/error.ts";
import type { User } from "../../spec/types.ts";

/** Who the container's process is. */
export interface PlannedCredentials {
  readonly uid: number;
  readonly gid: number;
  /** "keep" the caller's: asked for, or setgroups(2) is denied in this namespace and nothing that could be set was. */
  readonly groups: { readonly kind: "set"; readonly ids: readonly number[] } | { readonly kind: "keep" };
  readonly umask: number;
  readonly noNewPrivileges: boolean;
  /** Name of the new session keyring; "" when the caller's is kept (--no-new-keyring). */
  readonly keyring: string;
  /** Whether the standard streams are given to the user: those that the caller says are no shared devices. */
  readonly ownedStreams: readonly number[];
}

export interface CredentialContext {
  readonly setgroupsDenied: boolean;
  /** The caller's groups are wanted instead of process.user.additionalGids. */
  readonly keepGroups: boolean;
  readonly newKeyring: boolean;
  readonly id: string;
  readonly ownStreams: readonly number[];
}

const usualUmask = 0o022;

/**
 * @throws SpecError when additional groups are asked for where setgroups(2) is denied: they cannot be set, and a
 * process that lacks them would fail later, without a reason. Group 0 alone is what buildah sends there always; it
 * is the one group that such a process has anyway.
 */
export function planCredentials(
  user: User,
  noNewPrivileges: boolean,
  context: CredentialContext,
): PlannedCredentials {
  const ids = user.additionalGids ?? [];
  const keep = context.keepGroups || context.setgroupsDenied;
  if (!context.keepGroups && context.setgroupsDenied) refuseGroups(ids, user.gid);
  return {
    uid: user.uid,
    gid: user.gid,
    groups: keep ? { kind: "keep" } : { kind: "set", ids },
    umask: user.umask ?? usualUmask,
    noNewPrivileges,
    keyring: context.newKeyring ? `_ses.${context.id}` : "",
    ownedStreams: context.ownStreams,
  };
}

export const keepGroupsAnnotation = "run.oci.keep_original_groups";
const switches: Readonly<Record<string, boolean>> = { "1": true, true: true, "0": false, false: false };

/**
 * Whether the process keeps the caller's supplementary groups, by which shared file systems of clusters let people in:
 * --keep-groups, or the annotation that crun introduced and podman sends for `--group-add keep-groups`.
 * @throws SpecError for a value of the annotation that is neither 1 nor 0
 */
export function keepsGroups(
  annotations: Readonly<Record<string, string>> | undefined,
  option: boolean,
): boolean {
  const value = annotations?.[keepGroupsAnnotation];
  if (value === undefined) return option;
  const asked = Object.hasOwn(switches, value) ? switches[value] : undefined;
  if (asked === undefined) {
    throw new SpecError(`annotations["${keepGroupsAnnotation}"]`, `is "${value}": it must be 1 or 0`);
  }
  return option || asked;
}

function refuseGroups(ids: readonly number[], gid: number): void {
  const index = ids.findIndex((id) => id !== 0 && id !== gid);
  if (index < 0) return;
  throw new SpecError(
    `process.user.additionalGids[${index}]`,
    `is ${ids[index]}, which cannot be set: setgroups is denied in a user namespace with one mapped group; give the user subordinate ids (/etc/subgid), or leave the group out`,
  );
}

import { SpecError } from "../../spec/error.ts";
import type { User } from "../../spec/types.ts";

/** Who the container's process is. */
export interface PlannedCredentials {
  readonly uid: number;
  readonly gid: number;
  /** "keep": setgroups(2) is denied in this namespace, and nothing that could be set was asked for. */
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
  if (context.setgroupsDenied) refuseGroups(ids, user.gid);
  return {
    uid: user.uid,
    gid: user.gid,
    groups: context.setgroupsDenied ? { kind: "keep" } : { kind: "set", ids },
    umask: user.umask ?? usualUmask,
    noNewPrivileges,
    keyring: context.newKeyring ? `_ses.${context.id}` : "",
    ownedStreams: context.ownStreams,
  };
}

function refuseGroups(ids: readonly number[], gid: number): void {
  const index = ids.findIndex((id) => id !== 0 && id !== gid);
  if (index < 0) return;
  throw new SpecError(
    `process.user.additionalGids[${index}]`,
    `is ${ids[index]}, which cannot be set: setgroups is denied in a user namespace with one mapped group; give the user subordinate ids (/etc/subgid), or leave the group out`,
  );
}

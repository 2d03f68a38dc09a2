// The supervisor makes files and attributes with the rights of its caller, not with those of the container. It may only
// answer where these are the same, or the container would have the caller's.
import { CAP } from "../../../ffi/constants/capability.ts";

/** Who the supervisor would be, and for whom. */
export interface SupervisorRights {
  /** Who starts it. */
  readonly caller: {
    readonly uid: number;
    /** Effective capabilities, bit N for capability N. */
    readonly effective: bigint;
    /** How many user ids its user namespace maps. */
    readonly mappedIds: number;
  };
  /** How many user ids the container's user namespace maps; undefined where nobody has looked. */
  readonly ids: number | undefined;
  /** The one that it maps, as the caller numbers it; undefined where nobody has looked. */
  readonly owner: number | undefined;
}

/** With these, files of others can be changed. capabilities(7). */
const overFiles = [
  CAP.CAP_CHOWN,
  CAP.CAP_DAC_OVERRIDE,
  CAP.CAP_DAC_READ_SEARCH,
  CAP.CAP_FOWNER,
  CAP.CAP_FSETID,
];

/** Why it must not answer; "" where it may, or where nobody has looked yet. */
export function obstacleToSupervisor({ caller, ids, owner }: SupervisorRights): string {
  if (ids !== undefined && ids !== 1) {
    return `the container's user namespace maps ${ids} user ids, and a supervisor has one: leave it out, chown is real there`;
  }
  if (owner !== undefined && owner !== caller.uid) {
    return `its supervisor would be user ${caller.uid}, and the container's root is user ${owner}: ask for seccomp, or call as that user`;
  }
  const powerful = overFiles.some((capability) => ((caller.effective >> BigInt(capability)) & 1n) !== 0n);
  // Where the caller's namespace has one id, too, they are good for that one's files, which are the container's.
  if (powerful && caller.mappedIds !== 1) {
    return "its supervisor would have rights over other users' files, which the container has not: ask for seccomp, or call as a plain user";
  }
  return "";
}

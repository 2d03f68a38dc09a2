import { CLONE } from "../constants/process.ts";
import { words } from "./words.ts";

/** Size of struct clone_args (its third version, Linux 5.7), the last argument of clone3, and offsets inside. */
export const CLONE_ARGS_SIZE = 88;
export const CLONE_ARGS = {
  flags: 0,
  pidfd: 8,
  exitSignal: 32,
  setTid: 64,
  setTidSize: 72,
  cgroup: 80,
} as const;

/** How clone3(2) makes a process. The addresses, pidfd and setTid, are linked in: program.link(args.at(…), data). */
export interface CloneArguments {
  /** CLONE flags; add those above 32 bits, `|` loses them. */
  readonly flags: number | bigint;
  /** The signal its parent gets; must be 0 with CLONE_PARENT. */
  readonly exitSignal: number;
  /** Descriptor of a cgroup v2 directory to start in; sets CLONE_INTO_CGROUP. */
  readonly cgroup?: number;
  /** How many ids the array at setTid has. */
  readonly setTidSize?: number;
}

/** struct clone_args, include/uapi/linux/sched.h. Linux 5.3; set_tid 5.5; cgroup 5.7. */
export function cloneArgs({ flags, exitSignal, cgroup, setTidSize = 0 }: CloneArguments): Uint8Array {
  const all = BigInt(flags) | (cgroup === undefined ? 0n : BigInt(CLONE.INTO_CGROUP));
  return words(all, 0, 0, 0, exitSignal, 0, 0, 0, 0, setTidSize, cgroup ?? 0);
}

// Programs that run in the kernel. bpf(2), include/uapi/linux/bpf.h: union bpf_attr.
import { BPF } from "./constants/bpf.ts";
import { Descriptor } from "./file.ts";
import { libc } from "./libc.ts";
import { encodeText, lendBytes } from "./memory.ts";
import { BPF_INSN_SIZE } from "./structs/bpf-insn.ts";

/** Bytes of the attributes that we know, up to expected_attach_type (Linux 4.17); the kernel takes the rest for zero. */
const loadSize = 72;
const attachSize = 16;

/** Helpers of the kernel are for GPL programs only; ours calls none. */
const license = encodeText("Apache-2.0\0");

/**
 * Loads a program. Throws SyscallError: EPERM without CAP_BPF or CAP_SYS_ADMIN, EINVAL or EACCES when the verifier
 * refuses it.
 * @param type BPF_PROG_TYPE.*
 * @param instructions as encodeInstructions makes them
 * @param name what bpftool shows: at most 15 letters, digits, `_`
 */
export function loadProgram(type: number, instructions: Uint8Array, name: string): Descriptor {
  // One buffer for all that the kernel reads: it stays reachable as long as its first part does.
  const all = new Uint8Array(loadSize + instructions.length + license.length);
  const base = lendBytes(all);
  all.set(instructions, loadSize);
  all.set(license, loadSize + instructions.length);
  const view = new DataView(all.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, instructions.length / BPF_INSN_SIZE, true);
  view.setBigUint64(8, BigInt(base + loadSize), true);
  view.setBigUint64(16, BigInt(base + loadSize + instructions.length), true);
  all.set(encodeText(name).subarray(0, 15), 48);
  return new Descriptor(libc.bpf(BPF.PROG_LOAD, all.subarray(0, loadSize), loadSize));
}

/**
 * Attaches a program. Throws SyscallError.
 * @param target descriptor of what it is attached to: the directory of a cgroup
 * @param type BPF_ATTACH_TYPE.*
 * @param flags BPF_ATTACH_FLAG.*
 */
export function attachProgram(target: number, program: number, type: number, flags: number): void {
  const attributes = new Uint32Array([target, program, type, flags]);
  libc.bpf(BPF.PROG_ATTACH, new Uint8Array(attributes.buffer), attachSize);
}

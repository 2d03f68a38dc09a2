import { attachProgram, loadProgram } from "../../../../ffi/bpf.ts";
import { BPF_ATTACH_FLAG, BPF_ATTACH_TYPE, BPF_PROG_TYPE } from "../../../../ffi/constants/bpf.ts";
import { O } from "../../../../ffi/constants/file.ts";
import { SyscallError } from "../../../../ffi/error.ts";
import { openFile } from "../../../../ffi/file.ts";
import { type BpfInstruction, encodeInstructions } from "../../../../ffi/structs/bpf-insn.ts";
import { SpecError } from "../../../spec/error.ts";

/**
 * Makes the kernel ask a program about the devices that the processes of a cgroup use. Those of the cgroups above it are
 * asked, too: all must allow. The program goes when the cgroup does. Throws SpecError.
 */
export function attachDevices(path: string, instructions: readonly BpfInstruction[]): void {
  try {
    using program = loadProgram(
      BPF_PROG_TYPE.CGROUP_DEVICE,
      encodeInstructions(instructions),
      "bunc_devices",
    );
    using directory = openFile(path, O.RDONLY | O.DIRECTORY);
    attachProgram(directory.fd, program.fd, BPF_ATTACH_TYPE.CGROUP_DEVICE, BPF_ATTACH_FLAG.ALLOW_MULTI);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new SpecError("linux.resources.devices", `could not be applied to ${path}`, { cause: error });
  }
}

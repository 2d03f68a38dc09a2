import { SECCOMP_ARCH } from "../../ffi/constants/seccomp.ts";
import { Descriptor, readLink } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { supervisorDescriptors } from "../linux/root-emulation/apply.ts";
import { answeredCalls } from "../linux/root-emulation/calls.ts";
import { supervise } from "../linux/root-emulation/supervise.ts";
import { callNumbers, type TabledArchitecture } from "../linux/seccomp/numbers.ts";

/**
 * The process that answers a container's calls with root emulation "notify", until the container has no process left.
 * @returns false, at once, when it has inherited no listener
 */
export function superviseRoot(): boolean {
  const { listener, socket } = supervisorDescriptors;
  if (readLink(`/proc/self/fd/${listener}`) !== "anon_inode:seccomp notify") return false;
  // Of no terminal, in no directory of the caller's; what it makes has the mode that it is made with.
  attempt.setsid();
  libc.chdir("/");
  libc.umask(0);
  const names = answeredNumbers(process.arch === "arm64" ? ["AARCH64", "ARM"] : ["X86_64", "X86"]);
  using sockets = new Descriptor(socket);
  supervise(new Descriptor(listener), sockets, (architecture, number) =>
    names.get(`${architecture}:${number}`),
  );
  return true;
}

/**
 * The names of the calls that are answered, by `ARCHITECTURE:NUMBER`. The struct stat of the first one is the supervisor's own;
 * the one of that name of a 32-bit architecture is another.
 */
export function answeredNumbers(
  architectures: readonly [native: TabledArchitecture, ...further: TabledArchitecture[]],
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [index, architecture] of architectures.entries()) {
    const numbers = callNumbers(architecture);
    for (const [name, call] of Object.entries(answeredCalls)) {
      const number = numbers.get(name);
      const foreign = index > 0 && call.does === "stat" && call.layout === "native";
      if (number !== undefined && !foreign) names.set(`${SECCOMP_ARCH[architecture]}:${number}`, name);
    }
  }
  return names;
}

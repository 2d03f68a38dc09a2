// Annotations about the profile, named as crun names them. Pure.
import { SpecError } from "../../spec/error.ts";
import type { Config } from "../../spec/types.ts";

/** The agent's socket, where linux.seccomp.listenerPath does not name it. */
export const receiverAnnotation = "run.oci.seccomp.receiver";
/** When it is there, whatever it says, a name that is no system call's is an error; otherwise it is passed over. */
export const failUnknownAnnotation = "run.oci.seccomp_fail_unknown_syscall";

/**
 * The config with what annotations and the environment say of its profile.
 * @param receiver RUN_OCI_SECCOMP_RECEIVER, which the annotation wins over
 * @throws SpecError for a name that no system call has, where the annotation asks for that
 */
export function annotateSeccomp(config: Config, receiver: string | undefined): Config {
  const seccomp = config.linux?.seccomp;
  if (seccomp === undefined) return config;
  if (config.annotations?.[failUnknownAnnotation] !== undefined) refuseUnknown(seccomp.syscalls ?? []);
  const listenerPath = seccomp.listenerPath || config.annotations?.[receiverAnnotation] || receiver;
  if (!listenerPath || listenerPath === seccomp.listenerPath) return config;
  return { ...config, linux: { ...config.linux, seccomp: { ...seccomp, listenerPath } } };
}

function refuseUnknown(syscalls: readonly { readonly names: readonly string[] }[]): void {
  const { isCallName } = require("./numbers.ts") as typeof import("./numbers.ts");
  for (const [index, { names }] of syscalls.entries()) {
    const unknown = names.findIndex((name) => !isCallName(name));
    if (unknown < 0) continue;
    throw new SpecError(
      `linux.seccomp.syscalls[${index}].names[${unknown}]`,
      `is ${JSON.stringify(names[unknown])}, which bunc knows no system call by: the annotation ${failUnknownAnnotation} makes that an error`,
    );
  }
}

import { O } from "../../../ffi/constants/file.ts";
import type { Program } from "../../../ffi/program/program.ts";
import { type Handle, recordOpenInRoot } from "../in-root.ts";
import { aptConfigText, type PlannedRootEmulation } from "./plan.ts";

/** Writes the file that APT_CONFIG names, beneath the container's /dev, which must be mounted. */
export function recordAptConfig(program: Program, root: Handle, plan: PlannedRootEmulation): void {
  if (plan.kind === "none" || plan.aptConfig === "") return;
  program.because("--root-emulation");
  const slash = plan.aptConfig.lastIndexOf("/");
  const directory = recordOpenInRoot(program, root, plan.aptConfig.slice(0, slash), O.PATH | O.DIRECTORY);
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
  const file = program.openat(directory, plan.aptConfig.slice(slash + 1), flags, 0o444);
  const text = new TextEncoder().encode(aptConfigText);
  program.write(file, program.constant(text, "apt.conf"), text.length);
  program.close(file);
  program.close(directory);
}

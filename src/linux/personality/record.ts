import type { Program } from "../../../ffi/program/program.ts";

/** Sets the execution domain, which decides what uname(2) says of the machine; it is kept across execve(2). personality(2). */
export function recordPersonality(program: Program, persona: number): void {
  program.because("linux.personality");
  program.personality(persona);
}

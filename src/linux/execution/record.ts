import { ERRNO } from "../../../ffi/constants/errno.ts";
import { ACCESS, AT, S } from "../../../ffi/constants/file.ts";
import { CLOSE_RANGE } from "../../../ffi/constants/process.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import { type Handle, recordMakeDirectories, recordTarget } from "../in-root.ts";
import { recordExpectType, statSize } from "../stat.ts";
import type { PlannedExecution } from "./plan.ts";

type Execute = Extract<PlannedExecution, { kind: "execute" }>;

/** Makes a missing working directory, as runc and crun do. Before the root is made read-only. */
export function recordMakeCwd(program: Program, root: Handle, plan: Execute): void {
  program.because("process.cwd");
  const cwd = recordTarget(program, root, plan.cwd, () => recordMakeDirectories(program, root, plan.cwd));
  program.close(cwd);
}

/**
 * Changes into the working directory as the container's root; returns a register that is 1 when only the user may do
 * it (a directory on a file system that denies root). Makes sure that the directory is inside the container: one
 * reached through a leaked descriptor has no path here (CVE-2024-21626).
 */
export function recordEnterCwd(program: Program, plan: Execute): Register {
  program.because("process.cwd");
  const later = program.register("cwd as user", 0);
  const denied = program.label("cwd denied to root");
  const done = program.label("cwd entered or put off");
  program.chdir(plan.cwd).orJump(denied, ERRNO.EACCES, ERRNO.EPERM);
  recordVerifyCwd(program);
  program.jump(done);
  program.place(denied);
  program.set(1).into(later);
  program.place(done);
  return later;
}

/** The second try, when the user is set. */
export function recordEnterCwdAsUser(program: Program, plan: Execute, later: Register): void {
  program.because("process.cwd");
  const enter = program.label("enter cwd as user");
  const done = program.label("cwd entered");
  program.set(later).ifNonZero(enter);
  program.jump(done);
  program.place(enter);
  program.chdir(plan.cwd);
  recordVerifyCwd(program);
  program.place(done);
}

/** getcwd(2) of a directory outside the root begins with "(unreachable)". */
function recordVerifyCwd(program: Program): void {
  const path = program.space(4096);
  program.getcwd(path, 4096);
  program.expect(path, 0xff, "/".charCodeAt(0), ERRNO.ENOENT);
}

/**
 * Looks for the executable as the container's root, so that a missing one fails `create` and not only `start`.
 * Returns a register with the address of its path.
 */
export function recordFindExecutable(program: Program, plan: Execute): Register {
  program.because("process.args[0]");
  const found = program.register("executable");
  const done = program.label("executable found");
  const stat = program.space(statSize);
  const { candidates } = plan;
  for (let index = 0; index < candidates.length; index++) {
    const path = candidates[index] as string;
    const next = program.label(`not ${path}`);
    const last = index === candidates.length - 1;
    const permitted = program.faccessat2(AT.FDCWD, path, ACCESS.X_OK, AT.EACCESS);
    // A directory can be "executed" by those who may search it.
    program.newfstatat(AT.FDCWD, path, stat, 0);
    const regular = recordExpectType(program, stat, S.IFREG, ERRNO.EACCES);
    if (!last) for (const step of [permitted, regular]) step.orJump(next);
    program.set(program.text(path)).into(found).ifNonZero(done);
    program.place(next);
  }
  program.place(done);
  return found;
}

/**
 * The last steps: every other descriptor is closed by the execution, and the candidates are tried in order as
 * execvp(3) does. When none could be executed, the one that root saw is tried once more for its reason.
 */
export function recordExecute(program: Program, plan: Execute, found: Register): void {
  program.because("process.args[0]");
  const args = program.vector(plan.args);
  const env = program.vector(plan.env);
  if (plan.searched) {
    for (const path of plan.candidates) {
      program
        .execve(path, args, env)
        .ignore(ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.EACCES, ERRNO.ELOOP, ERRNO.ENAMETOOLONG);
    }
  }
  program.execve(found, args, env);
}

/** Everything but the standard streams and the preserved descriptors closes when the process is executed. */
export function recordCloseOnExec(program: Program, preserved: number): void {
  program.because("file descriptors");
  program.close_range(3 + preserved, 0xffff_ffff, CLOSE_RANGE.CLOEXEC);
}

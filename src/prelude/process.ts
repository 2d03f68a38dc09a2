import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT } from "../../ffi/constants/file.ts";
import type { Prelude, Variable } from "../../ffi/prelude/prelude.ts";
import type { Brief } from "./record.ts";
import { code, type Tools } from "./tools.ts";

const lineSize = 1024;

const space = code(" ");
const closing = code(")");

/** Fields of /proc/PID/stat from the state to the start time: proc_pid_stat(5), 3 and 22. */
const fields = 19;

/** Records what src/state/status.ts decides: 1 when the container's init runs, or 0. */
export function recordIsRunning(p: Prelude, tools: Tools, brief: Brief): Variable {
  const running = p.variable(0);
  const line = p.reserve(lineSize);
  const file = recordOpening(p, tools, brief, line);
  p.when(file, ">=", 0, () => {
    const length = p.call("read", file, line, lineSize - 1);
    p.call("close", file);
    p.when(length, "!=", -ERRNO.ESRCH, () => {
      tools.giveUpWhen(length, "<", 1);
      p.store(8, p.sum(line, length), 0);
      const state = recordFacts(p, tools, line);
      p.when(tools.takeNumber(), "==", brief.startTime, () => p.assign(running, 1));
      for (const ended of "ZX") p.when(state, "==", code(ended), () => p.assign(running, 0));
    });
  });
  return running;
}

/** Opens what /proc says of init: a descriptor, or -1 when there is no such process. */
function recordOpening(p: Prelude, tools: Tools, { pidText, pidLength }: Brief, path: Variable): Variable {
  const end = tools.copy(p.append(path, "/proc/"), pidText, pidLength);
  p.append(end, "/stat");
  const file = p.call("openat", AT.FDCWD, path, tools.flags.RDONLY | tools.flags.CLOEXEC, 0);
  p.when(file, "==", -ERRNO.ENOENT, () => {
    // Where there is no /proc, or another pid namespace's, nothing is known of any process.
    tools.giveUpWhen(p.call("faccessat2", AT.FDCWD, "/proc/self/stat", 0, 0), "!=", 0);
    p.assign(file, -1);
  });
  p.when(file, "==", -ERRNO.ESRCH, () => p.assign(file, -1));
  tools.giveUpWhen(file, "<", -1);
  return file;
}

/** The letter of the state; the cursor is at the start time then. */
function recordFacts(p: Prelude, tools: Tools, line: Variable): Variable {
  // The command's name may hold spaces and parentheses; after the last one come plain fields.
  const at = p.variable(0);
  const bracket = p.variable(p.seek(line, closing));
  p.loop((stop) => {
    p.when(p.load(8, bracket), "==", 0, stop);
    p.assign(at, bracket);
    p.assign(bracket, p.seek(p.sum(bracket, 1), closing));
  });
  tools.giveUpWhen(at, "==", 0);
  tools.giveUpWhen(p.load(8, at, 1), "==", 0);
  p.increase(at, 2);
  const state = p.load(8, at);
  const left = p.variable(fields);
  p.loop((stop) => {
    const found = p.seek(at, space);
    tools.giveUpWhen(p.load(8, found), "==", 0);
    p.assign(at, p.sum(found, 1));
    p.increase(left, -1);
    p.when(left, "==", 0, stop);
  });
  p.assign(tools.cursor, at);
  return state;
}

/** Records the question whether the container is paused: 1 or 0. A file that cannot be read says no. */
export function recordIsPaused(p: Prelude, tools: Tools, { freezer }: Brief): Variable {
  const paused = p.variable(0);
  p.when(p.load(8, freezer), "!=", 0, () => {
    const word = p.reserve(24);
    const file = p.call("openat", AT.FDCWD, freezer, tools.flags.RDONLY | tools.flags.CLOEXEC, 0);
    p.when(file, ">=", 0, () => {
      const length = p.call("read", file, word, 16);
      p.call("close", file);
      p.when(length, ">=", 0, () => {
        p.store(8, p.sum(word, length), 0);
        for (const frozen of ["FROZEN\n", "1\n"]) {
          p.when(tools.equals(word, frozen), "!=", 0, () => p.assign(paused, 1));
        }
      });
    });
  });
  return paused;
}

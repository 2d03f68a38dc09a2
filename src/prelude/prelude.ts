import { AT, LOCK } from "../../ffi/constants/file.ts";
import { Prelude, type Variable } from "../../ffi/prelude/prelude.ts";
import { type Command, type CommandLine, commands, recordCommandLine } from "./command-line.ts";
import { recordDelete } from "./delete.ts";
import { recordKill } from "./kill.ts";
import { recordList } from "./list.ts";
import { recordReading } from "./record.ts";
import { recordStart } from "./start.ts";
import { recordState } from "./state.ts";
import { type RootPath, recordRootPath, recordStateDirectory } from "./state-directory.ts";
import { type OpenFlags, recordTools, type Tools } from "./tools.ts";

/** Whether a command opens the container's directory and takes its lock. The others must answer whatever goes on. */
const locking = { state: false, start: true, kill: false, delete: true } as const;

/**
 * What the executable does before there is an engine: the commands that callers make most often, in their usual form, on
 * a container about which there is nothing special. Everything else it leaves to the engine, before it has changed
 * anything that the engine would not change as well.
 */
export function recordPrelude(flags: OpenFlags): Prelude {
  const p = new Prelude();
  const tools = recordTools(p, flags);
  const line = recordCommandLine(p, tools);
  const root = recordRootPath(p, tools, line);
  recordLog(p, tools, line);
  for (const [index, command] of commands.entries()) {
    p.when(line.command, "==", index, () => recordCommand(p, tools, line, root, command));
  }
  tools.giveUp();
  return p;
}

function recordCommand(p: Prelude, tools: Tools, line: CommandLine, root: RootPath, command: Command): void {
  if (command === "list") {
    recordList(p, tools, root);
  } else {
    const place = recordStateDirectory(p, tools, root, line.id);
    if (locking[command]) recordLock(p, tools, place.path);
    const brief = recordReading(p, tools, place, locking[command] ? tools.directory : undefined);
    if (command === "state") recordState(p, tools, place, brief);
    else if (command === "start") recordStart(p, tools, brief);
    else if (command === "kill") recordKill(p, tools, line, brief);
    else recordDelete(p, tools, line, place, brief);
  }
  p.call("exit_group", 0);
}

/** The engine waits for a lock that somebody holds. */
function recordLock(p: Prelude, { flags, directory, giveUpWhen }: Tools, path: Variable): void {
  const how = flags.RDONLY | flags.DIRECTORY | flags.NOFOLLOW | flags.CLOEXEC;
  p.assign(directory, p.call("openat", AT.FDCWD, path, how, 0));
  giveUpWhen(directory, "<", 3);
  giveUpWhen(p.call("flock", directory, LOCK.EX | LOCK.NB), "!=", 0);
}

/** The log is opened at once, as by src/cli/log.ts, and made when it is not there. Nothing here says anything to it. */
function recordLog(p: Prelude, tools: Tools, { log }: CommandLine): void {
  const { flags } = tools;
  p.when(log, "!=", 0, () => {
    for (const special of ["journald:", "syslog:", "file:"])
      tools.giveUpWhen(tools.after(log, special), "!=", 0);
    recordIsAscii(p, tools, log);
    const how = flags.WRONLY | flags.APPEND | flags.CREAT | flags.CLOEXEC;
    const file = p.call("openat", AT.FDCWD, log, how, 0o644);
    // The engine has it open at the same time then: who reads a FIFO does not see it end between the two.
    p.when(file, "<", 3, () => {
      p.when(file, ">=", 0, () => p.call("close", file));
      tools.giveUp();
    });
  });
}

/** The engine makes text of its arguments, and another file of a name that is no UTF-8. */
function recordIsAscii(p: Prelude, tools: Tools, text: Variable): void {
  const at = p.variable(text);
  p.loop((stop) => {
    const byte = p.load(8, at);
    p.when(byte, "==", 0, stop);
    tools.giveUpWhen(byte, ">=", 0x80);
    p.increase(at, 1);
  });
}

import { ERRNO } from "../../ffi/constants/errno.ts";
import { POLL } from "../../ffi/constants/socket.ts";
import type { Prelude, Variable } from "../../ffi/prelude/prelude.ts";
import { briefFlags } from "../state/brief.ts";
import { files } from "../state/record.ts";
import { recordIsPaused } from "./process.ts";
import type { Brief } from "./record.ts";
import type { Tools } from "./tools.ts";

/** Bytes of struct pollfd { int fd; short events; short revents; } */
const pollSize = 8;

/** Records `start`: what src/container/start.ts does where there are no hooks, no service manager and no listener. */
export function recordStart(p: Prelude, tools: Tools, brief: Brief): void {
  const { flags, directory } = tools;
  tools.giveUpWhen(p.masked(brief.flags, briefFlags.plainStart), "==", 0);
  tools.giveUpWhen(recordIsPaused(p, tools, brief), "==", 1);
  const open = (name: string, how: number) =>
    p.call("openat", directory, name, how | flags.NONBLOCK | flags.CLOEXEC, 0);
  // Once the process runs, the engine could not tell any more why the FIFO cannot be removed.
  tools.giveUpWhen(tools.mayWrite(directory, "."), "!=", 0);
  // Before init is let go: it may be done, or have failed, at once.
  const result = open(files.resultFifo, flags.RDONLY);
  tools.giveUpWhen(result, "<", 3);
  const start = open(files.startFifo, flags.WRONLY);
  p.when(start, "<", 3, () => {
    p.call("close", result);
    tools.giveUp();
  });
  recordLettingGo(p, tools, start, result);
  p.when(p.call("unlinkat", directory, files.startFifo, 0), "==", 0, () => p.call("exit_group", 0));
  tools.fail(`unlinkat: the container runs, but ${files.startFifo} in its directory cannot be removed`);
}

/** Init's end of the result FIFO closes when the process is executed; before that it may report why it is not. */
function recordLettingGo(p: Prelude, tools: Tools, start: Variable, result: Variable): void {
  const poll = p.reserve(pollSize);
  p.store(64, poll, result);
  p.store(8, poll, POLL.IN, 4);
  tools.ignoreWriteSignals();
  p.when(p.call("write", start, "", 1), "<", 1, () => {
    p.call("close", start);
    p.call("close", result);
    tools.giveUp();
  });
  p.loop((stop) => {
    const ready = p.call("ppoll", poll, 1, 0, 0, 0);
    p.when(ready, ">=", 0, stop);
    p.when(ready, "!=", -ERRNO.EINTR, () => tools.fail("ppoll: it is not known whether the container runs"));
  });
  // The engine explains a report, which is kept in the FIFO as long as somebody has it open: so it stays open here.
  p.when(p.masked(p.load(16, poll, 6), POLL.IN), "!=", 0, () => {
    p.call("close", start);
    tools.giveUp();
  });
}

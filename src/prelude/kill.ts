import { SIG, SIGRTMAX } from "../../ffi/constants/signal.ts";
import type { Prelude, Variable } from "../../ffi/prelude/prelude.ts";
import type { CommandLine } from "./command-line.ts";
import { recordIsPaused, recordIsRunning } from "./process.ts";
import type { Brief } from "./record.ts";
import { code, type Tools } from "./tools.ts";

const zero = code("0");

/** Records `kill`: what src/container/kill.ts does with init alone. */
export function recordKill(p: Prelude, tools: Tools, line: CommandLine, brief: Brief): void {
  const signal = recordSignal(p, tools, line);
  const pidfd = p.call("pidfd_open", brief.pid, 0);
  tools.giveUpWhen(pidfd, "<", 3);
  // After the pidfd is open: from then on it names this process and no later one.
  const running = recordIsRunning(p, tools, brief);
  // Who kills what is paused must let it go, too.
  p.when(signal, "==", SIG.KILL, () => {
    p.when(recordIsPaused(p, tools, brief), "==", 1, () => p.assign(running, 0));
  });
  p.when(running, "==", 1, () => {
    const result = p.call("pidfd_send_signal", pidfd, signal, 0, 0);
    p.when(result, "==", 0, () => p.call("exit_group", 0));
  });
  p.call("close", pidfd);
  tools.giveUp();
}

/** The number of the signal: of its name in capitals, with or without SIG, or of one or two digits. */
function recordSignal(p: Prelude, tools: Tools, line: CommandLine): Variable {
  const signal = p.variable(SIG.TERM);
  p.when(line.signal, "!=", 0, () => {
    p.assign(signal, -1);
    const name = tools.after(line.signal, "SIG");
    p.when(name, "==", 0, () => p.assign(name, line.signal));
    for (const [known, number] of Object.entries(SIG)) {
      p.when(tools.equals(name, known), "!=", 0, () => p.assign(signal, number));
    }
    p.when(signal, "<", 0, () => recordNumber(p, tools, line.signal, signal));
  });
  return signal;
}

function recordNumber(p: Prelude, tools: Tools, text: Variable, signal: Variable): void {
  const length = p.difference(p.seek(text, 0), text);
  tools.giveUpWhen(length, "<", 1);
  tools.giveUpWhen(length, ">=", 3);
  p.assign(signal, 0);
  p.loop((stop) => {
    const character = p.load(8, text);
    p.when(character, "==", 0, stop);
    const digit = p.sum(character, -zero);
    tools.giveUpWhen(digit, "<", 0);
    tools.giveUpWhen(digit, ">=", 10);
    p.multiply(signal, 10);
    p.increase(signal, digit);
    p.increase(text, 1);
  });
  tools.giveUpWhen(signal, ">=", SIGRTMAX + 1);
}

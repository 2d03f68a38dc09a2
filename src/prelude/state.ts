import { ERRNO } from "../../ffi/constants/errno.ts";
import type { Prelude, Variable } from "../../ffi/prelude/prelude.ts";
import { files } from "../state/record.ts";
import type { Status } from "../state/status.ts";
import { recordIsPaused, recordIsRunning } from "./process.ts";
import type { Brief } from "./record.ts";
import type { StateDirectory } from "./state-directory.ts";
import { code, type Tools } from "./tools.ts";

/** What is printed of a container beside its record: the addresses of two texts. */
export interface Printed {
  /** 0 when it is stopped. */
  readonly pid: Variable;
  readonly status: Variable;
}

/** Records the decision of src/state/status.ts. The path of the container's directory gets a longer end. */
export function recordStatus(p: Prelude, tools: Tools, place: StateDirectory, brief: Brief): Printed {
  const pid = p.variable(brief.pidText);
  const status = p.variable("running" satisfies Status);
  const running = recordIsRunning(p, tools, brief);
  p.store(8, p.sum(brief.pidText, brief.pidLength), 0);
  p.when(
    running,
    "==",
    0,
    () => {
      p.assign(pid, "0");
      p.assign(status, "stopped" satisfies Status);
    },
    () => {
      p.append(place.end, `/${files.startFifo}`);
      const waiting = p.call("faccessat2", place.from, place.path, 0, 0);
      p.when(waiting, "==", 0, () => p.assign(status, "created" satisfies Status));
      p.when(recordIsPaused(p, tools, brief), "==", 1, () => p.assign(status, "paused" satisfies Status));
    },
  );
  return { pid, status };
}

/** Records `state`: what src/container/state.ts prints. */
export function recordState(p: Prelude, tools: Tools, place: StateDirectory, brief: Brief): void {
  recordPrinting(p, tools, brief, recordStatus(p, tools, place, brief));
}

/** Puts the text together around the second part of it, which stays where it is in the record. */
function recordPrinting(p: Prelude, tools: Tools, brief: Brief, { pid, status }: Printed): void {
  const text = p.reserve(256);
  const middle = p.variable(text);
  for (const part of ['\n  "pid": ', pid, ',\n  "status": "', status, '",']) {
    p.assign(middle, p.append(middle, part));
  }
  const length = p.difference(middle, text);
  // In front of the second part comes what is between the two, and in front of that the first part, which moves to
  // lower addresses only: the numbers that were there have been read.
  const start = p.difference(p.difference(brief.tail, length), p.sum(brief.headLength, 1));
  p.store(8, start, code("{"));
  tools.copy(tools.copy(p.sum(start, 1), brief.head, brief.headLength), text, length);
  const end = p.append(p.sum(brief.tail, brief.tailLength), "\n}\n");
  recordWriting(p, tools, start, end);
}

/** Records the writing of what is between two addresses to standard output. */
export function recordWriting(p: Prelude, tools: Tools, start: Variable, end: Variable): void {
  tools.ignoreWriteSignals();
  const at = p.variable(start);
  p.loop((stop, again) => {
    p.when(at, "==", end, stop);
    const count = p.call("write", 1, at, p.difference(end, at));
    p.when(count, "==", -ERRNO.EINTR, again);
    p.when(count, "<", 0, () => {
      // The engine says what is wrong. When a part is written already, it must not write that again.
      p.when(at, "!=", start, () => tools.fail("write(1): only a part of it could be written"));
      tools.giveUp();
    });
    p.increase(at, count);
  });
}

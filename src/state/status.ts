import type { ProcessFacts } from "./process.ts";
import type { StateRecord } from "./record.ts";

/** Status of a container in the words of the runtime specification (runtime.md, State), and "paused", as other runtimes say. */
export type Status = "created" | "running" | "paused" | "stopped";

/** What is asked of the machine to decide a status. */
export interface StatusFacts {
  /** The process that has init's number now. */
  readonly process: ProcessFacts | undefined;
  /** Its processes are frozen, started or not. */
  readonly frozen: boolean;
  /** The start FIFO is still there: nobody has started the container. */
  readonly waiting: boolean;
}

/**
 * True when the process is the container's init and still runs. A zombie does not: it waits only for its parent, and
 * callers poll `state` before they reap. Another start time is another process that got init's number.
 */
export function isInit(
  record: Pick<StateRecord, "processStartTime">,
  process: ProcessFacts | undefined,
): process is ProcessFacts {
  return (
    process !== undefined &&
    process.startTime === record.processStartTime &&
    process.state !== "Z" &&
    process.state !== "X"
  );
}

/** The status of a container: its record and facts in, a word out. */
export function decideStatus(record: Pick<StateRecord, "processStartTime">, facts: StatusFacts): Status {
  if (!isInit(record, facts.process)) return "stopped";
  if (facts.frozen) return "paused";
  return facts.waiting ? "created" : "running";
}

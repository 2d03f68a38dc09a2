import type { Prelude, Variable } from "../../ffi/prelude/prelude.ts";
import { briefForm, briefStart } from "../state/brief.ts";
import { files } from "../state/record.ts";
import type { StateDirectory } from "./state-directory.ts";
import { code, type Tools } from "./tools.ts";

/** A longer record, as one with many annotations, is the engine's. */
const recordSize = 24 * 1024;

/** Bytes before the record, for what is printed in front of it. */
const roomBefore = 256;

/** Digits of the greatest pid_t. */
const pidDigits = 10;

const quote = code('"');
const comma = code(",");

/** What src/state/brief.ts has written, as variables. */
export interface Brief {
  /** The pid in decimal, and how many digits it has. */
  readonly pidText: Variable;
  readonly pidLength: Variable;
  readonly pid: Variable;
  readonly startTime: Variable;
  readonly flags: Variable;
  /** The two parts of the printed state, between which pid and status belong. */
  readonly head: Variable;
  readonly headLength: Variable;
  readonly tail: Variable;
  readonly tailLength: Variable;
  /** Bytes from the first part to the record's end. */
  readonly allLength: Variable;
  /** Path of the file that tells whether the container is paused; empty for none. */
  readonly freezer: Variable;
  /** The text of `"path","path"…]`, the container's cgroups. */
  readonly cgroups: Variable;
}

/**
 * Records the reading of a container's record; gives up when it has no brief part of the form that is known.
 * @param directory the container's directory, open; undefined when its path is to be used
 */
export function recordReading(
  p: Prelude,
  tools: Tools,
  place: StateDirectory,
  directory: Variable | undefined,
): Brief {
  const buffer = p.reserve(roomBefore + recordSize);
  const start = p.sum(buffer, roomBefore);
  if (!directory) p.append(place.end, `/${files.record}`);
  const flags = tools.flags.RDONLY | tools.flags.CLOEXEC;
  const name = directory ? files.record : place.path;
  const file = p.call("openat", directory ?? place.from, name, flags, 0);
  tools.giveUpWhen(file, "<", 0);
  const length = p.call("read", file, start, recordSize);
  p.call("close", file);
  // The caller has closed one of the standard descriptors: what is printed must not go into a file.
  tools.giveUpWhen(file, "<", 3);
  tools.giveUpWhen(length, "<", 1);
  tools.giveUpWhen(length, ">=", recordSize);
  p.store(8, p.sum(start, length), 0);
  const text = tools.after(start, briefStart);
  tools.giveUpWhen(text, "==", 0);
  p.assign(tools.cursor, text);
  tools.giveUpWhen(tools.takeNumber(), "!=", briefForm);
  const brief = recordFields(p, tools);
  recordWholeness(p, tools, brief, p.sum(start, length));
  recordSameId(p, tools, place, brief);
  return brief;
}

function recordFields(p: Prelude, tools: Tools): Brief {
  const { cursor } = tools;
  const pidText = p.variable(cursor);
  const pid = tools.takeNumber();
  tools.giveUpWhen(pid, "==", 0);
  const pidLength = p.sum(p.difference(cursor, pidText), -1);
  // It is copied to places that have room for a pid.
  tools.giveUpWhen(pidLength, ">=", pidDigits + 1);
  const startTime = tools.takeNumber();
  const flags = tools.takeNumber();
  const headLength = tools.takeNumber();
  const tailLength = tools.takeNumber();
  const allLength = tools.takeNumber();
  const freezer = takeString(p, tools);
  p.when(p.load(8, cursor), "==", comma, () => p.increase(cursor, 1));
  const cgroups = p.variable(cursor);
  skip(p, cursor, code("]"), tools);
  const head = p.sum(cursor, 1);
  const tail = p.sum(head, headLength);
  return {
    ...{ pidText, pidLength, pid, startTime, flags, head, headLength, tail, tailLength, allLength },
    ...{ freezer, cgroups },
  };
}

/** Nothing is cut off at the record's end, and the parts of it are within it. */
function recordWholeness(p: Prelude, tools: Tools, brief: Brief, end: Variable): void {
  tools.giveUpWhen(p.sum(brief.head, brief.allLength), "!=", end);
  for (const part of [brief.headLength, brief.tailLength]) {
    tools.giveUpWhen(part, "<", 0);
    tools.giveUpWhen(part, ">=", brief.allLength);
  }
  const others = p.sum(brief.tail, brief.tailLength);
  tools.giveUpWhen(others, ">=", end);
  tools.giveUpWhen(p.load(8, others), "!=", comma);
}

/** The string at the cursor, which ends with a NUL now; the cursor is behind its quotation mark. */
export function takeString(p: Prelude, tools: Tools): Variable {
  const { cursor } = tools;
  tools.giveUpWhen(p.load(8, cursor), "!=", quote);
  const text = p.sum(cursor, 1);
  p.increase(cursor, 1);
  skip(p, cursor, quote, tools);
  p.store(8, p.sum(cursor, -1), 0);
  return text;
}

/** Moves the cursor behind the next one of a character. */
function skip(p: Prelude, cursor: Variable, character: number, tools: Tools): void {
  const found = p.seek(cursor, character);
  tools.giveUpWhen(p.load(8, found), "==", 0);
  p.assign(cursor, p.sum(found, 1));
}

/** The record must be this container's: its head ends with the id, a quotation mark and a comma. */
function recordSameId(p: Prelude, tools: Tools, { id, idLength }: StateDirectory, { tail }: Brief): void {
  const quoted = p.difference(tail, p.sum(idLength, 2));
  const rest = tools.after(quoted, id);
  tools.giveUpWhen(rest, "==", 0);
  tools.giveUpWhen(p.load(8, rest), "!=", quote);
  tools.giveUpWhen(p.load(8, quoted, -1), "!=", quote);
}

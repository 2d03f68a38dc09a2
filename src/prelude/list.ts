import { AT } from "../../ffi/constants/file.ts";
import { MAP, PROT } from "../../ffi/constants/memory.ts";
import type { Prelude, Variable } from "../../ffi/prelude/prelude.ts";
import { columnGap, leastWidth, titles } from "../cli/list.ts";
import { briefFlags } from "../state/brief.ts";
import { type Brief, recordReading } from "./record.ts";
import { recordStatus, recordWriting } from "./state.ts";
import { type RootPath, recordStateDirectory } from "./state-directory.ts";
import { code, type Tools } from "./tools.ts";

/** Bytes of address space for the list. Only what is written takes memory. */
const arenaSize = 64 * 1024 * 1024;

/** How many containers there is room for: more, which no machine has, are the engine's. */
const mostContainers = 32 * 1024;

/** Bytes that are free before a container is added, or a line: more than its record has. */
const spare = 256 * 1024;

const listSize = 64 * 1024;

/** Distances of a shell sort, by Marcin Ciura. */
const distances = [10_000, 4_443, 1_750, 701, 301, 132, 57, 23, 10, 4, 1];

const [directoryType, unknownType] = [4, 0];

/** Texts that are kept, and how many rows there are. */
interface Rows {
  /** Addresses of the containers' names, and later of their rows, 8 bytes each. */
  readonly table: Variable;
  readonly count: Variable;
  /** Where the next text goes. */
  readonly free: Variable;
  /** No text may begin from here on. */
  readonly limit: Variable;
  /** Of the columns, in bytes. */
  readonly widths: readonly Variable[];
}

/** Records `list` without options: the table of src/cli/list.ts. */
export function recordList(p: Prelude, tools: Tools, root: RootPath): void {
  const kind = MAP.PRIVATE | MAP.ANONYMOUS | MAP.NORESERVE;
  const arena = p.call("mmap", 0, arenaSize, PROT.READ | PROT.WRITE, kind, -1, 0);
  p.when(arena, ">=", -4095, () => p.when(arena, "<", 0, () => tools.giveUp()));
  const rows: Rows = {
    table: arena,
    count: p.variable(0),
    free: p.sum(arena, 8 * mostContainers + listSize),
    limit: p.sum(arena, arenaSize - spare),
    widths: titles.map(() => p.variable(leastWidth)),
  };
  recordNames(p, tools, root, rows, p.sum(arena, 8 * mostContainers));
  recordSorting(p, rows);
  recordRows(p, tools, root, rows);
  recordTable(p, tools, rows);
}

/** Does something with the address of each entry of the table. */
function forEach(p: Prelude, { table, count }: Rows, action: (entry: Variable) => void): void {
  const [entry, left] = [p.variable(table), p.variable(count)];
  p.loop((stop) => {
    p.when(left, "==", 0, stop);
    action(entry);
    p.increase(entry, 8);
    p.increase(left, -1);
  });
}

/** @param list memory for what the kernel tells */
function recordNames(p: Prelude, tools: Tools, { path }: RootPath, rows: Rows, list: Variable): void {
  const { flags, directory } = tools;
  const how = flags.RDONLY | flags.DIRECTORY | flags.CLOEXEC;
  p.assign(directory, p.call("openat", AT.FDCWD, path, how, 0));
  tools.giveUpWhen(directory, "<", 3);
  const next = p.variable(rows.table);
  p.loop((stop) => {
    const length = p.call("getdents64", directory, list, listSize);
    tools.giveUpWhen(length, "<", 0);
    p.when(length, "==", 0, stop);
    const [at, end] = [p.variable(list), p.sum(list, length)];
    p.loop((done, again) => {
      p.when(at, "==", end, done);
      const name = p.sum(at, 19);
      const type = p.load(8, at, 18);
      p.increase(at, p.load(16, at, 16));
      // Those that begin with a dot are bunc's own.
      p.when(p.load(8, name), "==", code("."), again);
      p.when(type, "!=", directoryType, () => p.when(type, "!=", unknownType, again));
      tools.giveUpWhen(rows.count, ">=", mostContainers);
      tools.giveUpWhen(rows.free, ">=", rows.limit);
      p.store(64, next, rows.free);
      p.assign(rows.free, p.sum(p.append(rows.free, name), 1));
      p.increase(next, 8);
      p.increase(rows.count, 1);
    });
  });
}

/** By the characters' codes. */
function recordSorting(p: Prelude, { table, count }: Rows): void {
  const bytes = p.variable(count);
  p.multiply(bytes, 8);
  const end = p.sum(table, bytes);
  for (const distance of distances) {
    const step = 8 * distance;
    const next = p.sum(table, step);
    p.loop((stop) => {
      p.when(next, ">=", end, stop);
      const moved = p.load(64, next);
      const place = p.variable(next);
      p.loop((done) => {
        const before = p.sum(place, -step);
        p.when(before, "<", table, done);
        const other = p.load(64, before);
        recordPrecedes(p, other, moved, done);
        p.store(64, place, other);
        p.assign(place, before);
      });
      p.store(64, place, moved);
      p.increase(next, 8);
    });
  }
}

/** Goes on elsewhere when the first text is not behind the second one. Names in a directory differ. */
function recordPrecedes(p: Prelude, first: Variable, second: Variable, yes: () => void): void {
  const [one, other] = [p.variable(first), p.variable(second)];
  p.loop((stop) => {
    const [a, b] = [p.load(8, one), p.load(8, other)];
    p.when(a, "<", b, yes);
    p.when(a, "!=", b, stop);
    p.when(a, "==", 0, yes);
    p.increase(one, 1);
    p.increase(other, 1);
  });
}

function recordRows(p: Prelude, tools: Tools, root: RootPath, rows: Rows): void {
  forEach(p, rows, (entry) => {
    tools.giveUpWhen(rows.free, ">=", rows.limit);
    const place = recordStateDirectory(p, tools, root, p.load(64, entry), tools.directory);
    const brief = recordReading(p, tools, place, undefined);
    tools.giveUpWhen(p.masked(brief.flags, briefFlags.plainLine), "==", 0);
    const { pid, status } = recordStatus(p, tools, place, brief);
    p.store(64, entry, rows.free);
    const keep = (column: number, text: Variable) => {
      const end = p.append(rows.free, text);
      recordWidth(p, rows, column, p.difference(end, rows.free));
      p.assign(rows.free, p.sum(end, 1));
    };
    keep(0, place.id);
    keep(1, pid);
    keep(2, status);
    for (const [index, text] of recordFields(p, tools, brief).entries()) keep(3 + index, text);
  });
}

function recordWidth(p: Prelude, { widths }: Rows, column: number, length: Variable): void {
  const width = widths[column];
  if (width) p.when(width, "<", p.sum(length, columnGap), () => p.assign(width, p.sum(length, columnGap)));
}

/** Bundle, creation and owner, out of the second of the printed parts. */
function recordFields(p: Prelude, tools: Tools, { tail, tailLength }: Brief): Variable[] {
  const end = p.sum(tail, tailLength);
  p.store(8, end, 0);
  const bundle = tools.after(tail, '\n  "bundle": "');
  const rootfs = tools.after(recordText(p, tools, bundle), ',\n  "rootfs": "');
  const created = tools.after(recordText(p, tools, rootfs), ',\n  "created": "');
  recordText(p, tools, created);
  return [bundle, created, recordLast(p, tools, end, '\n  "owner": "')];
}

/** Ends the text at its quotation mark; returns what is behind that. */
function recordText(p: Prelude, tools: Tools, text: Variable): Variable {
  tools.giveUpWhen(text, "==", 0);
  const mark = p.seek(text, code('"'));
  tools.giveUpWhen(p.load(8, mark), "==", 0);
  p.store(8, mark, 0);
  return p.sum(mark, 1);
}

/** The last text before an address, whose key must be before it. */
function recordLast(p: Prelude, tools: Tools, end: Variable, key: string): Variable {
  const at = p.variable(end);
  for (let marks = 0; marks < 2; marks++) {
    p.loop((stop) => {
      p.increase(at, -1);
      const character = p.load(8, at);
      p.when(character, "==", code('"'), stop);
      // A text that was ended already: so there is none of this key.
      tools.giveUpWhen(character, "==", 0);
    });
  }
  const text = tools.after(p.sum(at, 1 - key.length), key);
  tools.giveUpWhen(text, "!=", p.sum(at, 1));
  tools.giveUpWhen(p.load(8, text), "==", code('"'));
  recordText(p, tools, text);
  return text;
}

/** Prints the rows, all of them before anything is written. */
function recordTable(p: Prelude, tools: Tools, rows: Rows): void {
  const start = p.variable(rows.free);
  const at = p.variable(start);
  const text = p.variable(0);
  const printRow = () => {
    for (const [column, width] of rows.widths.entries()) {
      const next = p.sum(at, width);
      p.assign(at, p.append(at, text));
      p.assign(text, p.sum(p.seek(text, 0), 1));
      if (column === titles.length - 1) break;
      p.loop((stop) => {
        p.when(at, ">=", next, stop);
        p.store(8, at, code(" "));
        p.increase(at, 1);
      });
    }
    p.store(8, at, code("\n"));
    p.increase(at, 1);
  };
  p.assign(text, titles.join("\0"));
  printRow();
  forEach(p, rows, (entry) => {
    tools.giveUpWhen(at, ">=", rows.limit);
    p.assign(text, p.load(64, entry));
    printRow();
  });
  recordWriting(p, tools, start, at);
}

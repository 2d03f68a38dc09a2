import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT } from "../../ffi/constants/file.ts";
import type { Prelude } from "../../ffi/prelude/prelude.ts";
import { briefFlags } from "../state/brief.ts";
import { files } from "../state/record.ts";
import type { CommandLine } from "./command-line.ts";
import { recordIsRunning } from "./process.ts";
import { type Brief, takeString } from "./record.ts";
import type { StateDirectory } from "./state-directory.ts";
import { code, type Tools } from "./tools.ts";

const listSize = 4096;

/** Bytes of the longest entry, struct linux_dirent64 with a name of NAME_MAX: when less of a list is free, there may be more. */
const entryRoom = 280;

const slash = code("/");
const quote = code('"');
const bracket = code("]");

/** Records `delete`: what src/container/delete.ts does with a container that has ended and has left nothing in its cgroups. */
export function recordDelete(
  p: Prelude,
  tools: Tools,
  line: CommandLine,
  place: StateDirectory,
  brief: Brief,
): void {
  tools.giveUpWhen(p.masked(brief.flags, briefFlags.plainDelete), "==", 0);
  tools.giveUpWhen(recordIsRunning(p, tools, brief), "==", 1);
  // Without its record the engine could not tell any more why the directory cannot be removed.
  tools.giveUpWhen(tools.mayWrite(AT.FDCWD, line.root), "!=", 0);
  recordCgroups(p, tools, brief);
  recordFiles(p, tools);
  const { directory } = tools;
  const result = p.call("unlinkat", directory, files.record, 0);
  tools.giveUpWhen(result, "<", 0);
  const removed = p.call("unlinkat", AT.FDCWD, place.path, AT.REMOVEDIR);
  tools.giveUpWhen(removed, "<", 0);
  p.call("exit_group", 0);
}

/** One that is busy is the engine's: it looks who is in it. */
function recordCgroups(p: Prelude, tools: Tools, { cgroups }: Brief): void {
  p.when(p.load(8, cgroups), "==", quote, () => {
    p.assign(tools.cursor, cgroups);
    p.loop((stop) => {
      const path = takeString(p, tools);
      tools.giveUpWhen(p.load(8, path), "!=", slash);
      const result = p.call("unlinkat", AT.FDCWD, path, AT.REMOVEDIR);
      p.when(result, "!=", -ERRNO.ENOENT, () => tools.giveUpWhen(result, "<", 0));
      const after = p.load(8, tools.cursor);
      p.when(after, "==", bracket, stop);
      p.increase(tools.cursor, 1);
    });
  });
}

/** All files but the record, which goes last: a removal that was interrupted can be repeated. */
function recordFiles(p: Prelude, tools: Tools): void {
  const { directory } = tools;
  // struct linux_dirent64 { u64 ino; s64 off; u16 length; u8 type; char name[]; }
  const list = p.reserve(listSize);
  const length = p.call("getdents64", directory, list, listSize);
  tools.giveUpWhen(length, "<", 0);
  tools.giveUpWhen(length, ">=", listSize - entryRoom);
  // Some file systems give fewer at a time than there is room for.
  tools.giveUpWhen(p.call("getdents64", directory, p.sum(list, length), entryRoom), "!=", 0);
  const at = p.variable(list);
  const end = p.sum(list, length);
  p.loop((stop, again) => {
    p.when(at, "==", end, stop);
    const name = p.sum(at, 19);
    p.increase(at, p.load(16, at, 16));
    for (const kept of [".", "..", files.record]) p.when(tools.equals(name, kept), "!=", 0, again);
    tools.giveUpWhen(p.call("unlinkat", directory, name, 0), "<", 0);
  });
}

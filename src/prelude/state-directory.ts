import { AT, S, STATX } from "../../ffi/constants/file.ts";
import type { Prelude, Variable } from "../../ffi/prelude/prelude.ts";
import { systemRoot } from "../state/root.ts";
import { otherIdCharacters } from "../state/store.ts";
import type { CommandLine } from "./command-line.ts";
import { code, type Tools } from "./tools.ts";

/** Bytes of a path, its end included; longer ones, which nobody has, are the engine's. */
const pathSize = 2048;

/** Bytes that a container's id and the names of its files may have. */
const nameRoom = 512;

const slash = code("/");
const dot = code(".");

/** The state root. */
export interface RootPath {
  /** With a slash at its end, and room behind it for a container's files. */
  readonly path: Variable;
  /** The end of that path. */
  readonly end: Variable;
}

/** Where a container's files are. */
export interface StateDirectory {
  readonly id: Variable;
  readonly idLength: Variable;
  /** The directory that the path is seen from: a descriptor, or AT_FDCWD. */
  readonly from: Variable | number;
  /** Of the directory, without a slash at its end. */
  readonly path: Variable;
  /** The end of that path, which more can be appended to. */
  readonly end: Variable;
}

/** Records the choice of src/state/root.ts for a user who has a place already. */
export function recordRootPath(p: Prelude, tools: Tools, line: CommandLine): RootPath {
  const path = p.reserve(pathSize);
  recordRoot(p, tools, line);
  const rootLength = p.difference(p.seek(line.root, 0), line.root);
  tools.giveUpWhen(rootLength, ">=", pathSize - nameRoom);
  tools.giveUpWhen(p.load(8, line.root), "!=", slash);
  return { path, end: p.append(p.append(path, line.root), "/") };
}

/**
 * Records the check of an id, and makes the path that of the container's directory.
 * @param open the state root, when it is open: what is seen from there need not be looked up from the beginning
 */
export function recordStateDirectory(
  p: Prelude,
  tools: Tools,
  root: RootPath,
  id: Variable,
  open?: Variable,
): StateDirectory {
  const idLength = p.difference(p.seek(id, 0), id);
  tools.giveUpWhen(idLength, ">=", nameRoom / 2);
  recordIdCheck(p, tools, id);
  const [from, path] = open ? [open, root.end] : [AT.FDCWD, root.path];
  return { id, idLength, from, path, end: p.append(root.end, id) };
}

function recordRoot(p: Prelude, tools: Tools, { root, runtimeDirectory }: CommandLine): void {
  const own = p.reserve(pathSize);
  const mayWrite = (directory: Variable | string) => tools.mayWrite(AT.FDCWD, directory);
  p.when(root, "==", 0, () => {
    const user = p.call("geteuid");
    p.when(user, "==", 0, () => {
      p.when(mayWrite(systemRoot), "==", 0, () => p.assign(root, systemRoot));
    });
    p.when(root, "==", 0, () => {
      tools.giveUpWhen(runtimeDirectory, "==", 0);
      tools.giveUpWhen(p.load(8, runtimeDirectory), "!=", slash);
      recordOwnership(p, tools, runtimeDirectory, user);
      const end = p.seek(runtimeDirectory, 0);
      tools.giveUpWhen(p.difference(end, runtimeDirectory), ">=", pathSize - nameRoom);
      tools.giveUpWhen(p.load(8, end, -1), "==", slash);
      p.append(p.append(own, runtimeDirectory), "/bunc");
      tools.giveUpWhen(mayWrite(own), "!=", 0);
      p.assign(root, own);
    });
  });
}

/** A directory, not a link to one, of this user. statx(2). */
function recordOwnership(p: Prelude, tools: Tools, path: Variable, user: Variable): void {
  const status = p.reserve(256);
  const result = p.call("statx", AT.FDCWD, path, AT.SYMLINK_NOFOLLOW, STATX.BASIC_STATS, status);
  tools.giveUpWhen(result, "!=", 0);
  tools.giveUpWhen(p.load(32, status, 20), "!=", user);
  tools.giveUpWhen(p.masked(p.load(16, status, 28), S.IFMT), "!=", S.IFDIR);
}

/** The characters of checkId in src/state/store.ts. */
function recordIdCheck(p: Prelude, tools: Tools, id: Variable): void {
  tools.giveUpWhen(p.load(8, id), "==", 0);
  tools.giveUpWhen(p.load(8, id), "==", dot);
  const at = p.variable(id);
  p.loop((stop, again) => {
    const character = p.load(8, at);
    p.when(character, "==", 0, stop);
    p.increase(at, 1);
    for (const [first, last] of ["09", "AZ", "az"]) {
      p.when(character, ">=", code(first), () => p.when(character, "<", code(last) + 1, again));
    }
    for (const other of otherIdCharacters) p.when(character, "==", code(other), again);
    tools.giveUp();
  });
}

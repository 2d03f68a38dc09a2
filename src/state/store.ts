import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, O } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import {
  type Descriptor,
  exists,
  listDirectory,
  openFile,
  readText,
  writeAtomically,
} from "../../ffi/file.ts";
import { attempt, failure, libc } from "../../ffi/libc.ts";
import { type BriefCgroups, renderRecord } from "./brief.ts";
import { StateError } from "./error.ts";
import { lock } from "./lock.ts";
import { files, recordVersion, type StateRecord } from "./record.ts";

// ROOT/ID/ belongs to one container. The directory is the reservation of its id, the lock, and the place of its files.

/** What an id may hold beside letters and digits. */
export const otherIdCharacters = "_+-.";

// A regular expression would say it shorter, and take 0.08 ms to compile in each `state`.
function hasOnlyIdCharacters(id: string): boolean {
  for (let index = 0; index < id.length; index++) {
    const character = id[index] ?? "";
    const isLetter = (character >= "a" && character <= "z") || (character >= "A" && character <= "Z");
    const isDigit = character >= "0" && character <= "9";
    if (!isLetter && !isDigit && !otherIdCharacters.includes(character)) return false;
  }
  return true;
}

/**
 * Refuses what is no container id. The characters are those that runc and crun allow; with them no id can name
 * anything outside of the state root. Names with a dot at the beginning are for bunc's own files in it.
 * @throws StateError "invalid"
 */
export function checkId(id: string): void {
  if (!hasOnlyIdCharacters(id) || id === "" || id.startsWith(".")) {
    throw new StateError(
      "invalid",
      `invalid container id ${JSON.stringify(id)}: letters, digits and _ + - . are allowed, and no . at the beginning`,
    );
  }
}

/** Path of a container's directory. Throws StateError "invalid" when the id is none. */
export function directoryOf(root: string, id: string): string {
  checkId(id);
  return `${root}/${id}`;
}

function missing(id: string, cause: unknown): StateError {
  return new StateError("missing", `container "${id}" does not exist`, { cause });
}

/**
 * Makes the directory of a new container and takes its lock. Of two callers with one id, one gets it.
 * @param root an existing directory
 * @returns the directory, open: closing it gives the lock back
 * @throws StateError "exists", "invalid"; SyscallError
 */
export function reserve(root: string, id: string): Descriptor {
  const path = directoryOf(root, id);
  const result = attempt.mkdirat(AT.FDCWD, path, 0o700);
  if (result === -ERRNO.EEXIST) {
    const unfinished = exists(`${path}/${files.record}`)
      ? ""
      : ", unfinished: it is being made, or whoever made it was killed; delete --force removes what there is";
    throw new StateError("exists", `container "${id}" already exists${unfinished}`);
  }
  if (result < 0) throw failure("mkdirat", [AT.FDCWD, path, 0o700], -result);
  return openContainer(root, id);
}

/**
 * Opens a container's directory and takes its lock, waiting for another holder.
 * @returns the directory, open: closing it gives the lock back
 * @throws StateError "missing", "invalid", "conflict"; SyscallError
 */
export function openContainer(root: string, id: string): Descriptor {
  const path = directoryOf(root, id);
  let directory: Descriptor;
  try {
    directory = openFile(path, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
  } catch (error) {
    throw error instanceof SyscallError && error.errno === ERRNO.ENOENT ? missing(id, undefined) : error;
  }
  try {
    lock(directory.fd, id);
    return directory;
  } catch (error) {
    directory.close();
    throw error;
  }
}

/** Writes the record of a container, whole or not at all. @param cgroups what its brief part says of them */
export function commit(directory: Descriptor, record: StateRecord, cgroups: BriefCgroups): void {
  writeAtomically(directory.fd, files.record, renderRecord(record, cgroups));
}

/**
 * Reads the record of a container.
 * @param directory the container's directory when it is open; otherwise its path is used
 * @throws StateError "missing" when there is none, "damaged" when it cannot be understood, "invalid"
 */
export function load(root: string, id: string, directory?: Descriptor): StateRecord {
  const path = `${directoryOf(root, id)}/${files.record}`;
  let text: string;
  try {
    text = readText(directory ? { dirfd: directory.fd, path: files.record } : path);
  } catch (error) {
    throw error instanceof SyscallError && error.errno === ERRNO.ENOENT ? missing(id, undefined) : error;
  }
  return parseRecord(text, id, path);
}

/**
 * Understands the content of state.json. What could lead to the wrong process is checked, the rest is trusted: only
 * bunc writes there.
 * @throws StateError "damaged"
 */
export function parseRecord(text: string, id: string, path: string): StateRecord {
  let record: Partial<StateRecord> | null;
  try {
    record = JSON.parse(text);
  } catch (cause) {
    throw new StateError("damaged", `the state of container "${id}" is damaged: ${path}`, { cause });
  }
  const version: unknown = record?.version;
  if (typeof version === "number" && version > recordVersion) {
    throw new StateError(
      "damaged",
      `container "${id}" was made by a newer bunc: ${path} is of version ${version}, this bunc knows ${recordVersion}`,
    );
  }
  if (
    version !== recordVersion ||
    record?.id !== id ||
    !Number.isSafeInteger(record.pid) ||
    (record.pid ?? 0) <= 0 ||
    !Number.isSafeInteger(record.processStartTime) ||
    !namesPaths(record.cgroup) ||
    typeof record.annotations !== "object" ||
    record.annotations === null ||
    typeof record.bundle !== "string" ||
    typeof record.rootfs !== "string" ||
    (record.intelRdt && !isAbsolute((record.intelRdt as { path?: unknown }).path))
  ) {
    throw new StateError("damaged", `the state of container "${id}" is damaged: ${path} is incomplete`);
  }
  return record as StateRecord;
}

/** Whether the part of src/linux/cgroups has nothing but absolute paths: what they lead to is killed and removed. */
function namesPaths(cgroup: unknown): boolean {
  if (cgroup === null) return true;
  if (typeof cgroup !== "object") return false;
  const { path, directories } = cgroup as { path?: unknown; directories?: unknown };
  if (directories === undefined) return isAbsolute(path);
  if (!Array.isArray(directories)) return false;
  for (const each of directories) {
    if (typeof each?.controllers !== "string" || !isAbsolute(each.path)) return false;
  }
  return true;
}

function isAbsolute(path: unknown): boolean {
  return typeof path === "string" && path.startsWith("/");
}

/**
 * Removes a container's directory with its files. The record goes last, so that a removal that was interrupted can be
 * repeated.
 */
export function remove(root: string, id: string, directory: Descriptor): void {
  for (const { name } of listDirectory(directory.fd)) {
    if (name !== files.record) removeEntry(directory.fd, name);
  }
  const result = attempt.unlinkat(directory.fd, files.record, 0);
  if (result < 0 && result !== -ERRNO.ENOENT) {
    throw failure("unlinkat", [directory.fd, files.record, 0], -result);
  }
  libc.unlinkat(AT.FDCWD, directoryOf(root, id), AT.REMOVEDIR);
}

/** A file, or a directory of files. */
function removeEntry(dirfd: number, name: string): void {
  const result = attempt.unlinkat(dirfd, name, 0);
  if (result >= 0) return;
  if (result !== -ERRNO.EISDIR) throw failure("unlinkat", [dirfd, name, 0], -result);
  using directory = openFile(name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW, 0, dirfd);
  for (const entry of listDirectory(directory.fd)) libc.unlinkat(directory.fd, entry.name, 0);
  libc.unlinkat(dirfd, name, AT.REMOVEDIR);
}

/** The ids of all containers under a state root, sorted; none when it does not exist. */
export function listIds(root: string): string[] {
  let directory: Descriptor;
  try {
    directory = openFile(root, O.RDONLY | O.DIRECTORY);
  } catch (error) {
    if (error instanceof SyscallError && error.errno === ERRNO.ENOENT) return [];
    throw error;
  }
  using opened = directory;
  return listDirectory(opened.fd)
    .filter(({ name, type }) => !name.startsWith(".") && (type === "directory" || type === "unknown"))
    .map(({ name }) => name)
    .sort();
}

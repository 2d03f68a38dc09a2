// tmpcopyup: a tmpfs begins with what the image has in its place. Init cannot copy, for its program has no loops, and bunc
// must not, for it may read what the container may not. So bunc looks at the files, and makes processes of a few hundred
// steps that copy them with the rights of the container's root, outside of the container. Loaded only when it is asked for.
import { CLONE, PR } from "../../ffi/constants/process.ts";
import { Descriptor, readText } from "../../ffi/file.ts";
import { waitFor } from "../../ffi/process.ts";
import { compile } from "../../ffi/program/image.ts";
import { sealImage, spawnImage } from "../../ffi/program/launch.ts";
import { newProgram } from "../../ffi/program/program.ts";
import { receiveDescriptor } from "../../ffi/socket.ts";
import { IdMap } from "../linux/copy-up/ids.ts";
import { type Ids, recordCopies } from "../linux/copy-up/record.ts";
import { type Entry, walk } from "../linux/copy-up/walk.ts";
import { recordBecomeRoot } from "../linux/idmap/record.ts";
import { ContainerError } from "./error.ts";
import { openSync, receive } from "./sync.ts";

/** Numbers of the descriptors that a copying process counts on. */
const numbers = { source: 3, target: 4, report: 5, user: 6 } as const;

/** Files that one process copies: a program of some thousand steps. */
const atOnce = 400;

/** What a copy needs to know. */
export interface CopyUp {
  readonly sync: Descriptor;
  /** A process of the container. */
  readonly init: number;
  /** The mount's JSON path. */
  readonly origin: string;
  /** The container is in the caller's own user namespace. */
  readonly ownUser: boolean;
  /** The container's directory, where an image can be hidden if memfds may not be executed. */
  readonly directory: Descriptor;
}

/**
 * Takes the two directories from init, as recordAskCopy sends them, and copies the one into the other.
 * Throws ContainerError with the step that failed, SyscallError.
 */
export function copyUp(options: CopyUp): void {
  const { sync, init, ownUser, origin } = options;
  using source = take(sync, origin);
  using target = take(sync, origin);
  using user = take(sync, origin);
  const process = ownUser ? "self" : String(init);
  const ids = {
    uid: new IdMap(readText(`/proc/${process}/uid_map`), ownUser),
    gid: new IdMap(readText(`/proc/${process}/gid_map`), ownUser),
  };
  let entries: Entry[] = [];
  const flush = () => {
    if (entries.length > 0) copy(entries, [source.fd, target.fd, user.fd], ids, options);
    entries = [];
  };
  for (const entry of walk(source.fd)) {
    entries.push(entry);
    if (entries.length === atOnce) flush();
  }
  flush();
}

function take(sync: Descriptor, origin: string): Descriptor {
  const descriptor = receiveDescriptor(sync.fd);
  if (!descriptor)
    throw new ContainerError(origin, "the container's first process sent no directory to copy");
  return descriptor;
}

/** @param trees source, target, and the container's user namespace */
function copy(
  entries: readonly Entry[],
  [source, target, user]: readonly [number, number, number],
  ids: Ids,
  { origin, ownUser, directory }: CopyUp,
): void {
  const program = newProgram({ report: numbers.report });
  program.because(origin);
  program.umask(0);
  // Whoever is in a joined user namespace already may not look into this process (CVE-2016-9962).
  program.prctl(PR.SET_DUMPABLE, 0, 0, 0, 0);
  if (!ownUser) {
    program.setns(numbers.user, CLONE.NEWUSER);
    recordBecomeRoot(program, { kind: "none" }, true);
  }
  recordCopies(program, entries, numbers, ids, `${origin} (tmpcopyup)`);
  program.exit_group(0);
  const image = compile(program);
  const { ours, theirs } = openSync();
  using talk = ours;
  let pid: number;
  try {
    using memfd = new Descriptor(sealImage(image, directory.fd));
    pid = spawnImage(memfd.fd, ["bunc: copy"], [], [0, 1, 2, source, target, theirs.fd, user]);
  } finally {
    theirs.close();
  }
  const message = receive(talk.fd);
  const { status } = waitFor(pid);
  if (message.kind === "failure") {
    const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
    throw explainStep(image, message.step, message.errno, "");
  }
  if (status !== 0) throw new ContainerError(origin, "the process that fills the tmpfs was killed");
}

import { O } from "../../ffi/constants/file.ts";
import { Descriptor, openFile, readText } from "../../ffi/file.ts";
import { waitFor } from "../../ffi/process.ts";
import { sealImage, spawnImage } from "../../ffi/program/launch.ts";
import type { HookStreams } from "../linux/hooks/apply.ts";
import { innermostPid } from "../linux/hooks/state.ts";
import { ContainerError } from "./error.ts";
import { signalInit } from "./init.ts";
import { type Message, openSync, receive } from "./sync.ts";

/** Where a hook inside the container goes. */
export interface HookPlace extends Disposable {
  readonly pidfd: Descriptor;
  /** Init's root directory: before the switch of root, the caller's. */
  readonly root: Descriptor;
  /** Init's number in the container. */
  readonly innerPid: number;
}

/**
 * Opens what the program of a hook joins.
 * @param pid init, which `pidfd` names as well
 * Throws SyscallError, EACCES when the process may not be looked into; ContainerError when it has ended.
 */
export function openPlace(pid: number, pidfd: Descriptor): HookPlace {
  const root = openFile(`/proc/${pid}/root`, O.PATH | O.DIRECTORY);
  const place = {
    pidfd,
    root,
    innerPid: innermostPid(readText(`/proc/${pid}/status`), pid),
    [Symbol.dispose]: () => root.close(),
  };
  // Another process may have got the number meanwhile; as long as init is there, it has not.
  if (signalInit(pidfd, 0)) return place;
  root.close();
  throw new ContainerError("init", "the container's first process has ended before its hooks were run");
}

/**
 * Starts a hook inside the container, as a child of this process.
 * @param image from hook-program.ts
 * @param directory the container's directory, where the image can be hidden if memfds may not be executed
 * Returns its pid once it is executed. Throws ContainerError with the step that failed.
 */
export function startJoined(
  image: Uint8Array,
  place: HookPlace,
  directory: Descriptor,
  { stdin, stdout, stderr }: HookStreams,
): number {
  const { ours, theirs } = openSync();
  using talk = ours;
  let joiner: number;
  try {
    using memfd = new Descriptor(sealImage(image, directory.fd));
    const streams = [stdin, stdout, stderr, place.pidfd.fd, place.root.fd, theirs.fd] as const;
    joiner = spawnImage(memfd.fd, ["bunc: hook"], [], streams);
  } finally {
    theirs.close();
  }
  const { pid, failure } = readAnswers(talk.fd);
  waitFor(joiner);
  if (!failure && pid !== 0) return pid;
  if (pid !== 0) waitFor(pid);
  const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
  if (failure) throw explainStep(image, failure.step, failure.errno, "");
  throw new ContainerError("hooks", "the process that joins the container was killed");
}

/** The end of file comes when the hook is executed, or nobody is left who could be. */
function readAnswers(talk: number) {
  let pid = 0;
  let failure: Extract<Message, { kind: "failure" }> | undefined;
  for (;;) {
    const message = receive(talk);
    if (message.kind === "end") return { pid, failure };
    if (message.kind === "pid") pid = message.pid;
    if (message.kind === "failure") failure = message;
  }
}

import { O } from "../../ffi/constants/file.ts";
import { Descriptor, openFile, readFile, writeAtomically } from "../../ffi/file.ts";
import { decodeText } from "../../ffi/memory.ts";
import { waitFor } from "../../ffi/process.ts";
import { compile } from "../../ffi/program/image.ts";
import { sealImage, spawnImage } from "../../ffi/program/launch.ts";
import type { Program } from "../../ffi/program/program.ts";
import { probeSecurity } from "../host/probe.ts";
import type { MountPoint } from "../linux/mounts/unmount.ts";
import { foreignNamespaces } from "../linux/namespaces/apply.ts";
import { type LaterMountPlan, resolveLaterMounts } from "../plan/resolve-mounts.ts";
import { checkBundle } from "../rules/check.ts";
import { refuseUnsupported } from "../rules/supported.ts";
import { SpecError } from "../spec/error.ts";
import { parseConfig, parseMounts } from "../spec/parse.ts";
import { cleanPath } from "../spec/path.ts";
import type { Config, Mount } from "../spec/types.ts";
import { StateError } from "../state/error.ts";
import { files, type StateRecord } from "../state/record.ts";
import { load, openContainer } from "../state/store.ts";
import { ContainerError } from "./error.ts";
import { openInit, signalInit } from "./init.ts";
import { readKeptConfig } from "./kept-config.ts";
import { changeMounts } from "./kept-mounts.ts";
import { recordAddMounts, recordRemoveMounts } from "./mounts-program.ts";
import type { ContainerOptions } from "./options.ts";
import { openSync, receive } from "./sync.ts";

export interface MountsOptions extends ContainerOptions {
  /** Entries as of config.json's `mounts`; of those to be removed the destination counts alone. */
  readonly mounts: readonly Mount[];
}

/** The mounts of a file, a JSON array, or of standard input for "-". Throws SpecError, SyscallError. */
export function readMounts(path: string): readonly Mount[] {
  return parseMounts(readFile(path === "-" ? 0 : path));
}

/**
 * `mounts add`: mounts something in a container that is there already, all of it or nothing.
 * Throws StateError "missing", "conflict" when it is stopped; SpecError, ContainerError, SyscallError.
 */
export function addMounts(options: MountsOptions): void {
  using container = new Opened(options);
  const { record, config } = container;
  const added = { ...config, mounts: [...options.mounts] };
  checkBundle(added);
  refuseUnsupported(added);
  const plan = resolveLaterMounts(options.mounts, config, {
    bundle: record.bundle,
    foreign: foreignNamespaces(record.pid),
    selinux: probeSecurity({ linux: config.linux ?? {} }).selinux,
  });
  try {
    container.run(recordAddMounts(plan));
  } catch (error) {
    undo(container, plan, error);
    throw error;
  }
  container.keep((mounts) => [...mounts, ...options.mounts]);
}

/** Takes off again what was attached before one of them failed. */
function undo(container: Opened, plan: LaterMountPlan, error: unknown): void {
  if (!(error instanceof ContainerError)) return;
  const failed = Number(/^mounts\[(\d+)\](?!\.source)/.exec(error.origin)?.[1] ?? 0);
  const points = plan.mounts.slice(0, failed).filter(({ source }) => source.kind !== "remount");
  if (points.length > 0) container.run(recordRemoveMounts(plan, points.reverse(), "if there"));
}

/**
 * `mounts remove`: takes mounts off a container.
 * Throws StateError "missing", "conflict" when it is stopped; SpecError, ContainerError, SyscallError.
 */
export function removeMounts(options: MountsOptions): void {
  using container = new Opened(options);
  const points = options.mounts.map(({ destination }, index) => pointOf(destination, `mounts[${index}]`));
  const { joins, joinsUser } = resolveLaterMounts([], container.config, {
    bundle: container.record.bundle,
    foreign: foreignNamespaces(container.record.pid),
    selinux: false,
  });
  container.run(recordRemoveMounts({ joins, joinsUser }, points));
  const gone = points.map(({ target }) => target);
  container.keep((mounts) => mounts.filter(({ destination }) => !gone.includes(cleanPath(destination))));
}

function pointOf(destination: string, origin: string): MountPoint {
  const target = cleanPath(destination);
  if (target !== "/") return { origin, target };
  throw new SpecError(`${origin}.destination`, "is the container's root, which stays");
}

/** What joins a container's mounts by: a pidfd of init, and init's root. Throws StateError when it has ended. */
function openPlace(record: StateRecord): { init: Descriptor; root: Descriptor } {
  const ended = () => new StateError("conflict", `container not running: "${record.id}"`);
  const init = openInit(record);
  if (!init) throw ended();
  try {
    const root = openFile(`/proc/${record.pid}/root`, O.PATH | O.DIRECTORY);
    // The number may have become another process's meanwhile; as long as init is there, it has not.
    if (signalInit(init, 0)) return { init, root };
    root.close();
    throw ended();
  } catch (error) {
    init.close();
    throw error;
  }
}

/** A container whose mounts are changed: its lock is held. */
class Opened implements Disposable {
  readonly record: StateRecord;
  readonly config: Config;
  readonly #text: string;
  readonly #directory: Descriptor;
  readonly #place: { readonly init: Descriptor; readonly root: Descriptor };

  constructor(options: ContainerOptions) {
    const { root, id } = options;
    this.#directory = openContainer(root, id);
    try {
      this.record = load(root, id, this.#directory);
      const bytes = readKeptConfig(options);
      this.#text = decodeText(bytes, bytes.length);
      this.config = parseConfig(bytes);
      this.#place = openPlace(this.record);
    } catch (error) {
      this.#directory.close();
      throw error;
    }
  }

  /** Runs a program of mounts-program.ts to its end. Throws ContainerError with the step that failed. */
  run(program: Program): void {
    const image = compile(program);
    const { ours, theirs } = openSync();
    using talk = ours;
    let pid: number;
    try {
      using memfd = new Descriptor(sealImage(image, this.#directory.fd));
      const { init, root } = this.#place;
      const streams = [0, 1, 2, init.fd, root.fd, theirs.fd] as const;
      pid = spawnImage(memfd.fd, [`bunc: mounts ${this.record.id}`], [], streams);
    } finally {
      theirs.close();
    }
    const message = receive(talk.fd);
    const { status } = waitFor(pid);
    if (message.kind === "failure") {
      const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
      throw explainStep(image, message.step, message.errno, "");
    }
    if (status !== 0) throw new ContainerError("mounts", "the process that changes the mounts was killed");
  }

  /** Changes what later commands know of the container's mounts. */
  keep(change: (mounts: readonly Mount[]) => readonly Mount[]): void {
    writeAtomically(this.#directory.fd, files.config, changeMounts(this.#text, change));
  }

  [Symbol.dispose](): void {
    this.#place.root.close();
    this.#place.init.close();
    this.#directory.close();
  }
}

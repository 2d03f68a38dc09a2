/** The stopwatch: one program from before posix_spawn until its end was collected, with nothing else in between. */
import { ptr } from "bun:ffi";
import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { checked, libc, now, wait } from "./native.ts";

const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;

// Larger than glibc's posix_spawn_file_actions_t (80), posix_spawnattr_t (336) and sigset_t (128) on any processor.
const OPAQUE = 512;

/** A program that ended with a status other than 0. */
export class CommandError extends Error {
  /** @param text what it wrote to its standard error */
  constructor(
    argv: readonly string[],
    status: number,
    readonly text: string,
  ) {
    super(`${argv.join(" ")}: exit status ${status}${text === "" ? "" : `: ${text.trim()}`}`);
  }
}

/** A NULL-terminated array of strings as C wants it. The texts must stay reachable as long as the pointers are used. */
function strings(texts: readonly string[]): { texts: Buffer[]; pointers: BigUint64Array } {
  const buffers = texts.map((text) => Buffer.from(`${text}\0`));
  return { texts: buffers, pointers: new BigUint64Array([...buffers.map((text) => BigInt(ptr(text))), 0n]) };
}

/** A program, its arguments and its surroundings, all in the form that posix_spawn takes: made before time counts. */
export interface Command {
  readonly argv: readonly string[];
  readonly path: Buffer;
  readonly args: { readonly texts: Buffer[]; readonly pointers: BigUint64Array };
  readonly actions: Uint8Array;
}

/**
 * Runs programs with /dev/null as standard input and output and a file as standard error, no other descriptors, signals
 * as at login, and PATH alone as environment.
 */
export class Stopwatch implements Disposable {
  readonly #null = openSync("/dev/null", "r+");
  readonly #messages: number;
  readonly #environment = strings(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
  readonly #attributes = new Uint8Array(OPAQUE);
  readonly #pid = new Int32Array(1);

  /** @param messagesFile made, or emptied: holds what the latest program wrote to its standard error */
  constructor(readonly messagesFile: string) {
    this.#messages = openSync(messagesFile, "a");
    const everySignal = new Uint8Array(OPAQUE).fill(0xff, 0, 128);
    const noSignal = new Uint8Array(OPAQUE);
    checked("posix_spawnattr_init", libc.posix_spawnattr_init(this.#attributes));
    const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    checked("posix_spawnattr_setflags", libc.posix_spawnattr_setflags(this.#attributes, flags));
    // Bun ignores some signals, and an ignored signal is inherited.
    checked(
      "posix_spawnattr_setsigdefault",
      libc.posix_spawnattr_setsigdefault(this.#attributes, everySignal),
    );
    checked("posix_spawnattr_setsigmask", libc.posix_spawnattr_setsigmask(this.#attributes, noSignal));
  }

  /**
   * @param argv the program's absolute path, and its arguments
   * @param directory what it has as its current directory
   */
  prepare(argv: readonly string[], directory = "/"): Command {
    const actions = new Uint8Array(OPAQUE);
    checked("posix_spawn_file_actions_init", libc.posix_spawn_file_actions_init(actions));
    for (const [fd, target] of [this.#null, this.#null, this.#messages].entries()) {
      const error = libc.posix_spawn_file_actions_adddup2(actions, target, fd);
      checked("posix_spawn_file_actions_adddup2", error);
    }
    checked("addclosefrom", libc.posix_spawn_file_actions_addclosefrom_np(actions, 3));
    // It is copied by the call.
    checked("addchdir", libc.posix_spawn_file_actions_addchdir_np(actions, Buffer.from(`${directory}\0`)));
    return { argv, path: Buffer.from(`${argv[0]}\0`), args: strings(argv), actions };
  }

  /**
   * Milliseconds from before the program was started until its end was collected.
   * @throws CommandError when its exit status is not 0
   */
  time({ argv, path, args, actions }: Command): number {
    ftruncateSync(this.#messages, 0);
    const begin = now();
    const error = libc.posix_spawn(
      this.#pid,
      path,
      actions,
      this.#attributes,
      args.pointers,
      this.#environment.pointers,
    );
    const status = error === 0 ? wait(this.#pid[0] ?? 0) : 0;
    const elapsed = now() - begin;
    checked(`posix_spawn ${argv[0]}`, error);
    if (status !== 0) throw new CommandError(argv, status, readFileSync(this.messagesFile, "utf8"));
    return elapsed;
  }

  [Symbol.dispose](): void {
    closeSync(this.#null);
    closeSync(this.#messages);
  }
}

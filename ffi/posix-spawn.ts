// posix_spawn(3), the only way to make a process: libc's child shares the memory and makes no step in JavaScript, which
// fork would (its JIT memory is not even there). Opened on first use; state, kill and delete never do.
import { F, FD_CLOEXEC } from "./constants/file.ts";
import { dlopen, word64 } from "./engine.ts";
import { SyscallError } from "./error.ts";
import { attempt, failure, libc } from "./libc.ts";
import { beginCall, lendText } from "./memory.ts";
import { writeWord } from "./structs/words.ts";

const i32 = "i32";
const pointer = "ptr";

function open() {
  return dlopen("libc.so.6", {
    // int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    //                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
    posix_spawn: { args: [pointer, word64, pointer, pointer, pointer, pointer], returns: i32 },
    // int posix_spawnattr_init(posix_spawnattr_t *attributes)
    posix_spawnattr_init: { args: [pointer], returns: i32 },
    // int posix_spawnattr_setflags(posix_spawnattr_t *attributes, short flags)
    posix_spawnattr_setflags: { args: [pointer, i32], returns: i32 },
    // int posix_spawnattr_setsigdefault(posix_spawnattr_t *attributes, const sigset_t *set)
    posix_spawnattr_setsigdefault: { args: [pointer, pointer], returns: i32 },
    // int posix_spawnattr_setsigmask(posix_spawnattr_t *attributes, const sigset_t *set)
    posix_spawnattr_setsigmask: { args: [pointer, pointer], returns: i32 },
  }).symbols;
}

/** Apart, for most processes keep the streams that there are, and each symbol takes 0.01 ms. */
function openActions() {
  return dlopen("libc.so.6", {
    // int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
    posix_spawn_file_actions_init: { args: [pointer], returns: i32 },
    // int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int newfd)
    posix_spawn_file_actions_adddup2: { args: [pointer, i32, i32], returns: i32 },
    // int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
    posix_spawn_file_actions_destroy: { args: [pointer], returns: i32 },
  }).symbols;
}

let opened: ReturnType<typeof open> | undefined;
let openedActions: ReturnType<typeof openActions> | undefined;

/** Flags of posix_spawnattr_setflags, spawn.h. */
const SETSIGDEF = 4;
const SETSIGMASK = 8;

/** More than any libc's posix_spawnattr_t (336 bytes in glibc and musl) and sigset_t (128) take. */
const structSize = 1024;

/** What a new process gets. */
export interface SpawnRequest {
  readonly path: string;
  readonly argv: readonly string[];
  /** NAME=value. */
  readonly env: readonly string[];
  /** Descriptors that it inherits under their numbers, whether they are close-on-exec here or not. */
  readonly keep: readonly number[];
  /** Descriptors that become its 0, 1, 2 and so on; the same number leaves it as it is. */
  readonly standard: readonly [stdin: number, stdout: number, stderr: number, ...further: number[]];
}

/**
 * Starts a program: every signal at its default, none blocked, both of which Bun changes in its own process.
 * Returns its pid. Throws SyscallError, also when the program cannot be executed.
 */
export function posixSpawn(request: SpawnRequest): number {
  opened ??= open();
  const { keep, standard } = request;
  // On create's hot path, so no callbacks: the first use of one of the engine's builtins that take them costs 0.15 ms.
  const streams: number[] = [];
  const inherited = [...keep];
  for (let target = 0; target < standard.length; target++) {
    const fd = standard[target] ?? target;
    // Out of the way: the first of them to be put in place must not hide another's source.
    const inTheWay = fd < standard.length && fd !== target;
    streams.push(inTheWay ? libc.fcntl(fd, F.DUPFD_CLOEXEC, standard.length) : fd);
    if (fd === target) inherited.push(fd);
  }
  const closing: number[] = [];
  try {
    // libc's dup2 of a descriptor to itself clears the flag only since glibc 2.29, so it is done by hand. Nothing else
    // can be executed meanwhile: posix_spawn returns after the execve, and this is the only thread that calls it.
    for (const fd of inherited) {
      const flags = attempt.fcntl(fd, F.GETFD, 0);
      // A stream that is closed here is closed there as well; what is to be kept must be open.
      if (flags < 0 && keep.includes(fd)) throw failure("fcntl", [fd, F.GETFD, 0], -flags);
      if (flags < 0 || (flags & FD_CLOEXEC) === 0) continue;
      libc.fcntl(fd, F.SETFD, flags & ~FD_CLOEXEC);
      closing.push(fd);
    }
    return spawnWith(opened, request, streams);
  } finally {
    for (const fd of closing) attempt.fcntl(fd, F.SETFD, FD_CLOEXEC);
    for (let target = 0; target < streams.length; target++) {
      const fd = streams[target] ?? target;
      if (fd !== standard[target]) attempt.close(fd);
    }
  }
}

/** What puts descriptors in place; null where each has its number already. */
function prepareActions(standard: readonly number[]): Uint8Array | null {
  let actions: Uint8Array | null = null;
  for (let target = 0; target < standard.length; target++) {
    const fd = standard[target] ?? target;
    if (fd === target) continue;
    openedActions ??= openActions();
    if (!actions) {
      actions = new Uint8Array(structSize);
      openedActions.posix_spawn_file_actions_init(actions);
    }
    openedActions.posix_spawn_file_actions_adddup2(actions, fd, target);
  }
  return actions;
}

function spawnWith(
  symbols: ReturnType<typeof open>,
  request: SpawnRequest,
  standard: readonly number[],
): number {
  const attributes = new Uint8Array(structSize);
  const everySignal = new Uint8Array(128).fill(0xff);
  const noSignal = new Uint8Array(128);
  const pid = new Uint32Array(2);
  symbols.posix_spawnattr_init(attributes);
  symbols.posix_spawnattr_setflags(attributes, SETSIGDEF | SETSIGMASK);
  symbols.posix_spawnattr_setsigdefault(attributes, everySignal);
  symbols.posix_spawnattr_setsigmask(attributes, noSignal);
  const actions = prepareActions(standard);
  beginCall();
  const path = lendText(request.path);
  const argv = lendVector(request.argv);
  const env = lendVector(request.env);
  const error = symbols.posix_spawn(pid, path, actions, attributes, argv, env);
  if (actions) openedActions?.posix_spawn_file_actions_destroy(actions);
  if (error !== 0) {
    throw new SyscallError(
      "posix_spawn",
      error,
      `posix_spawn(${JSON.stringify(request.path)}, ${JSON.stringify(request.argv)})`,
    );
  }
  return pid[0] ?? 0;
}

/** A NULL-terminated array of addresses of texts, which are good until the next call. */
function lendVector(texts: readonly string[]): Uint32Array {
  const vector = new Uint32Array(2 * texts.length + 2);
  let at = 0;
  for (const text of texts) {
    writeWord(vector, at, lendText(text));
    at += 2;
  }
  return vector;
}

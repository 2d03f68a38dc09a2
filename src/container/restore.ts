import { PR } from "../../ffi/constants/process.ts";
import type { Descriptor } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { remove, reserve } from "../state/store.ts";
import { hooksOf } from "./create.ts";
import { type CriuChoices, CriuDirectories, findCriu } from "./criu.ts";
import type { RunOptions } from "./options.ts";
import { prepare } from "./prepare.ts";
import { copyWindowSize } from "./raw-terminal.ts";
import { Restoration } from "./restoration.ts";
import { checkConsole, cleanUp } from "./run.ts";
import { readInherited } from "./streams.ts";
import { catchForwarded, supervise } from "./supervise.ts";

/** `restore`: paths as the caller wrote them. */
export interface RestoreOptions extends RunOptions, CriuChoices {
  /** `apparmor:PROFILE` or `selinux:LABEL` in place of the one that was dumped. */
  readonly lsmProfile: string | undefined;
  /** SELinux context of the restored mounts. */
  readonly lsmMountContext: string | undefined;
}

/**
 * `restore`: makes a container again from what `checkpoint` has written, with the bundle's config.json; then waits for it,
 * unless it is to be detached.
 * @returns the exit status for the shell: the process's, 128+n when signal n ended it, 0 when detached
 * Throws SpecError, StateError, ContainerError, SyscallError; then nothing is left behind.
 */
export function restoreContainer(options: RestoreOptions): number {
  const { plan, bytes } = prepare(options);
  checkConsole(plan, options);
  const criu = findCriu("restore", options.criu);
  using directories = new CriuDirectories(options, "restore.log", false);
  const inherited = readInherited(directories.images, options.imagePath);
  if (!options.detach && options.subreaper) libc.prctl(PR.SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const directory = reserve(options.root, options.id);
  using signals = options.detach ? undefined : catchForwarded();
  const hooks = hooksOf(plan, options, directory);
  try {
    const restoration = new Restoration({
      plan,
      bytes,
      options,
      directories,
      directory,
      hooks,
      criu,
      inherited,
    });
    const restored = restoration.run();
    directory.close();
    if (!signals) {
      restored.master?.close();
      return 0;
    }
    if (restored.master) copyWindowSize(restored.master.fd);
    const status = supervise(restored.record.pid, signals, restored.master);
    if (!options.keep) cleanUp(options, restored, restored.record);
    return status;
  } catch (error) {
    undo(options, directory, () => hooks?.undo());
    throw error;
  } finally {
    directory.close();
  }
}

function undo({ root, id }: RestoreOptions, directory: Descriptor, undoHooks: () => void): void {
  if (directory.fd < 0) return;
  remove(root, id, directory);
  undoHooks();
}

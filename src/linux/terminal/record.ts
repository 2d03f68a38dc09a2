import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, MAGIC, O } from "../../../ffi/constants/file.ts";
import { MOVE_MOUNT, OPEN_TREE } from "../../../ffi/constants/mount.ts";
import { IOCTL } from "../../../ffi/constants/socket.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import { descriptorMessage } from "../../../ffi/structs/descriptor-message.ts";
import {
  type Handle,
  recordMakeDirectories,
  recordMakeFile,
  recordOpenInRoot,
  recordTarget,
} from "../in-root.ts";
import { recordExpectDevice, statSize } from "../stat.ts";
import type { PlannedTerminal } from "./plan.ts";

type NewTerminal = Extract<PlannedTerminal, { kind: "new" }>;

const statfsSize = 120;

/** Opens a pseudoterminal as recordPseudoterminal does, and makes it /dev/console. */
export function recordTerminal(program: Program, root: Handle, plan: NewTerminal, console: number): Register {
  const peer = recordPseudoterminal(program, root, plan, console);
  recordConsole(program, root, peer);
  return peer;
}

/**
 * Opens a pseudoterminal in the container's devpts, and sends its master to whoever listens on the console socket. The
 * other side is asked of the master itself (TIOCGPTPEER), never opened by a path that the container may have swapped
 * (CVE-2025-52565). Returns it.
 * @param console a connected Unix socket
 */
export function recordPseudoterminal(
  program: Program,
  root: Handle,
  plan: NewTerminal,
  console: number,
): Register {
  program.because("process.terminal");
  const master = recordMaster(program, root);
  const peer = program.register("terminal");
  program.ioctl(master, IOCTL.TIOCGPTPEER, O.RDWR | O.NOCTTY | O.CLOEXEC).into(peer);
  if (plan.height !== 0 || plan.width !== 0) {
    program.because("process.consoleSize");
    program.ioctl(master, IOCTL.TIOCSWINSZ, windowSize(plan.height, plan.width));
  }
  program.because("process.terminal");
  // Group 5 stays, where it is mapped: devpts set it.
  program.fchown(peer, plan.uid, -1).ignore(ERRNO.EPERM, ERRNO.EINVAL);
  recordSend(program, console, master);
  program.close(master);
  return peer;
}

function recordMaster(program: Program, root: Handle): Register {
  const master = program.register("master");
  recordOpenInRoot(program, root, "/dev/pts/ptmx", O.RDWR | O.NOCTTY).into(master);
  const statfs = program.space(statfsSize);
  program.fstatfs(master, statfs);
  program.expect(statfs, 0xffff_ffffn, MAGIC.DEVPTS_SUPER, ERRNO.ENOTTY);
  const stat = program.space(statSize);
  program.newfstatat(master, "", stat, AT.EMPTY_PATH);
  recordExpectDevice(program, stat, 5, 2, ERRNO.ENOTTY);
  program.ioctl(master, IOCTL.TIOCSPTLCK, new Uint8Array(4));
  return master;
}

/** One byte of payload, since some receivers drop a message without any. */
function recordSend(program: Program, console: number, master: Register): void {
  const message = descriptorMessage(program, "/dev/ptmx");
  program.store(message.descriptor, master, 4);
  program.sendmsg(console, message.header, 0);
  program.close(console);
}

function recordConsole(program: Program, root: Handle, peer: Register): void {
  const tree = program.open_tree(peer, "", OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.EMPTY_PATH);
  const target = recordTarget(program, root, "/dev/console", () => {
    recordMakeDirectories(program, root, "/dev");
    recordMakeFile(program, root, "/dev/console");
  });
  program.move_mount(tree, "", target, "", MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH);
  program.close(target);
  program.close(tree);
}

/** Makes the terminal the three standard streams and the controlling terminal of the session that init leads. */
export function recordControl(program: Program, peer: Register): void {
  program.because("process.terminal");
  for (const stream of [0, 1, 2]) program.dup3(peer, stream, 0);
  program.ioctl(0, IOCTL.TIOCSCTTY, 0);
  program.close(peer);
}

/** struct winsize of ioctl_tty(2). */
function windowSize(rows: number, columns: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(rows, columns, 0, 0).buffer);
}

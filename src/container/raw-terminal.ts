import { IOCTL } from "../../ffi/constants/socket.ts";
import { attempt } from "../../ffi/libc.ts";

// struct termios of the kernel: four flag words, the line discipline and 19 control characters.
// Source: include/uapi/asm-generic/termbits.h.
const termiosSize = 36;
const [IFLAG, OFLAG, CFLAG, LFLAG, CC] = [0, 4, 8, 12, 17];
const input = {
  IGNBRK: 0o1,
  BRKINT: 0o2,
  PARMRK: 0o10,
  ISTRIP: 0o40,
  INLCR: 0o100,
  IGNCR: 0o200,
  ICRNL: 0o400,
  IXON: 0o2000,
};
const output = { OPOST: 0o1 };
const local = { ISIG: 0o1, ICANON: 0o2, ECHO: 0o10, ECHONL: 0o100, IEXTEN: 0o100000 };
const control = { CSIZE: 0o60, PARENB: 0o400, CS8: 0o60 };
const [VTIME, VMIN] = [5, 6];

const all = (flags: Readonly<Record<string, number>>) =>
  Object.values(flags).reduce((sum, flag) => sum | flag, 0);

/** Whether a descriptor is a terminal. isatty(3). */
export function isTerminal(fd: number): boolean {
  return attempt.ioctl(fd, IOCTL.TCGETS, new Uint8Array(termiosSize)) >= 0;
}

/**
 * The caller's terminal in raw mode, as cfmakeraw(3) makes it: every key goes to the container, which has a terminal
 * of its own to interpret them. Restored when it is disposed of. Does nothing when standard input is no terminal.
 */
export class RawTerminal implements Disposable {
  private readonly saved: Uint8Array | undefined;

  constructor() {
    const settings = new Uint8Array(termiosSize);
    if (attempt.ioctl(0, IOCTL.TCGETS, settings) < 0) return;
    this.saved = settings;
    this.set();
  }

  /** Sets raw mode, again after a stop: the shell has given itself the terminal that it likes, and gives that back. */
  set(): void {
    if (!this.saved) return;
    const settings = this.saved.slice();
    const view = new DataView(settings.buffer);
    const clear = (offset: number, flags: number) =>
      view.setUint32(offset, view.getUint32(offset, true) & ~flags, true);
    clear(IFLAG, all(input));
    clear(OFLAG, all(output));
    clear(LFLAG, all(local));
    clear(CFLAG, control.CSIZE | control.PARENB);
    view.setUint32(CFLAG, view.getUint32(CFLAG, true) | control.CS8, true);
    view.setUint8(CC + VMIN, 1);
    view.setUint8(CC + VTIME, 0);
    attempt.ioctl(0, IOCTL.TCSETS, settings);
  }

  [Symbol.dispose](): void {
    if (this.saved) attempt.ioctl(0, IOCTL.TCSETS, this.saved);
  }
}

/** Gives the container's terminal the size of the caller's. ioctl_tty(2). */
export function copyWindowSize(master: number): void {
  const size = new Uint8Array(8);
  if (attempt.ioctl(0, IOCTL.TIOCGWINSZ, size) >= 0) attempt.ioctl(master, IOCTL.TIOCSWINSZ, size);
}

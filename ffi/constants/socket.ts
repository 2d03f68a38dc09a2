// Numbers of sockets, polling and terminals. Source: include/linux/socket.h, include/uapi/asm-generic/{poll,ioctls}.h.

export const AF = { UNIX: 1, INET: 2, NETLINK: 16 } as const;
export const SOCK = {
  STREAM: 1,
  DGRAM: 2,
  RAW: 3,
  SEQPACKET: 5,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
} as const;
export const SOL_SOCKET = 1;
export const SCM_RIGHTS = 1;
export const MSG = { PEEK: 2, DONTWAIT: 0x40, NOSIGNAL: 0x4000, CMSG_CLOEXEC: 0x40000000 } as const;
export const POLL = { IN: 1, OUT: 4, ERR: 8, HUP: 0x10, NVAL: 0x20 } as const;

/** ioctl(2) requests. SIOCxIFFLAGS read and set a network interface's flags; the T* ones belong to terminals. */
export const IOCTL = {
  TCGETS: 0x5401,
  TCSETS: 0x5402,
  TIOCSCTTY: 0x540e,
  TIOCGWINSZ: 0x5413,
  TIOCSWINSZ: 0x5414,
  TIOCSPTLCK: 0x40045431,
  TIOCGPTN: 0x80045430,
  /** Opens the terminal side of a pty master, whatever is mounted where. Linux 4.13. */
  TIOCGPTPEER: 0x5441,
  SIOCGIFFLAGS: 0x8913,
  SIOCSIFFLAGS: 0x8914,
} as const;

export const IFF_UP = 1;

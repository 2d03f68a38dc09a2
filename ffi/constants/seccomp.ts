// Numbers of seccomp filters. Source: include/uapi/linux/seccomp.h, include/uapi/linux/audit.h, include/uapi/linux/elf-em.h.

/** What a filter returns: an action in the upper half, its data (an errno, a tracer's message) in the lower. */
export const SECCOMP_RET = {
  KILL_THREAD: 0x00000000,
  TRAP: 0x00030000,
  ERRNO: 0x00050000,
  USER_NOTIF: 0x7fc00000,
  TRACE: 0x7ff00000,
  LOG: 0x7ffc0000,
  ALLOW: 0x7fff0000,
  KILL_PROCESS: 0x80000000,
} as const;

/** The lower half of what a filter returns. */
export const SECCOMP_RET_DATA = 0xffff;

/** Instructions that one filter may have: BPF_MAXINSNS of include/uapi/linux/bpf_common.h. */
export const BPF_MAXINSNS = 4096;

/**
 * The architecture a call was made for: ELF machine, with 0x80000000 for 64 bits and 0x40000000 for little endian.
 * X32 is libseccomp's own number: the kernel reports those calls as X86_64 with bit 30 in the call's number.
 */
export const SECCOMP_ARCH = {
  X86: 0x40000003,
  X86_64: 0xc000003e,
  X32: 0x4000003e,
  ARM: 0x40000028,
  AARCH64: 0xc00000b7,
  MIPS: 0x00000008,
  MIPS64: 0x80000008,
  MIPS64N32: 0xa0000008,
  MIPSEL: 0x40000008,
  MIPSEL64: 0xc0000008,
  MIPSEL64N32: 0xe0000008,
  PPC: 0x00000014,
  PPC64: 0x80000015,
  PPC64LE: 0xc0000015,
  S390: 0x00000016,
  S390X: 0x80000016,
  PARISC: 0x0000000f,
  PARISC64: 0x8000000f,
  RISCV64: 0xc00000f3,
  LOONGARCH64: 0xc0000102,
  M68K: 0x00000004,
  SH: 0x4000002a,
  SHEB: 0x0000002a,
} as const;

/** Bit that x32 calls carry in their number. Source: arch/x86/include/uapi/asm/unistd.h. */
export const X32_SYSCALL_BIT = 0x40000000;

/** ioctl(2) requests on a listener: seccomp_unotify(2). */
export const SECCOMP_IOCTL = {
  NOTIF_RECV: 0xc0502100,
  NOTIF_SEND: 0xc0182101,
  NOTIF_ID_VALID: 0x40082102,
  /** Linux 6.6. */
  NOTIF_SET_FLAGS: 0x40082104,
} as const;

/** Flags of an answer: the kernel makes the call as if there were no filter. Linux 5.5. */
export const SECCOMP_USER_NOTIF_FLAG = { CONTINUE: 1 } as const;

/** Of a listener: who asks and who answers take turns on one processor. Linux 6.6. */
export const SECCOMP_USER_NOTIF_FD = { SYNC_WAKE_UP: 1 } as const;

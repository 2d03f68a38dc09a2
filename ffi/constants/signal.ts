// Signal numbers, the same on x86-64 and arm64. Source: include/uapi/asm-generic/signal.h, signal(7).

/** Name without "SIG" → number. */
export const SIG = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const;

/** First and last real-time signal as the kernel counts them; glibc keeps the first two for itself. */
export const SIGRTMIN = 34;
export const SIGRTMAX = 64;

/** What a signal is done with that is ignored. include/uapi/asm-generic/signal-defs.h. */
export const SIG_IGN = 1;

// Numbers of bpf(2). Source: include/uapi/linux/bpf.h.

/** Commands. */
export const BPF = { PROG_LOAD: 5, PROG_ATTACH: 8, PROG_DETACH: 9 } as const;

// Numbers of bpf(2). Source: include/uapi/linux/bpf.h.

/** Commands. */
export const BPF = { PROG_LOAD: 5, PROG_ATTACH: 8, PROG_DETACH: 9 } as const;

/** Types of programs. */
export const BPF_PROG_TYPE = { CGROUP_DEVICE: 15 } as const;

/** Places that programs are attached to. */
export const BPF_ATTACH_TYPE = { CGROUP_DEVICE: 6 } as const;

/** Flags of attaching: beside programs that are there already, and with those of cgroups beneath. Linux 4.15. */
export const BPF_ATTACH_FLAG = { ALLOW_MULTI: 2 } as const;

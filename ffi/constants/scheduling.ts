// Numbers of scheduling, memory policies and personalities. Source: include/uapi/linux/{sched,ioprio,mempolicy,personality}.h.

/** Policies of sched_setattr(2). SCHED_ISO, 4, is reserved and in no kernel. */
export const SCHED = { OTHER: 0, FIFO: 1, RR: 2, BATCH: 3, IDLE: 5, DEADLINE: 6 } as const;

/** Flags of struct sched_attr. */
export const SCHED_FLAG = {
  RESET_ON_FORK: 0x01,
  RECLAIM: 0x02,
  DL_OVERRUN: 0x04,
  KEEP_POLICY: 0x08,
  KEEP_PARAMS: 0x10,
  UTIL_CLAMP_MIN: 0x20,
  UTIL_CLAMP_MAX: 0x40,
} as const;

/** Classes of ioprio_set(2), and where they are in its value. */
export const IOPRIO_CLASS = { RT: 1, BE: 2, IDLE: 3 } as const;
export const IOPRIO_CLASS_SHIFT = 13;

/** First argument of ioprio_set(2). */
export const IOPRIO_WHO = { PROCESS: 1, PGRP: 2, USER: 3 } as const;

/** Modes of set_mempolicy(2). PREFERRED_MANY Linux 5.15, WEIGHTED_INTERLEAVE 6.9. */
export const MPOL = {
  DEFAULT: 0,
  PREFERRED: 1,
  BIND: 2,
  INTERLEAVE: 3,
  LOCAL: 4,
  PREFERRED_MANY: 5,
  WEIGHTED_INTERLEAVE: 6,
} as const;

/** Flags of a mode. NUMA_BALANCING Linux 5.12. */
export const MPOL_F = { NUMA_BALANCING: 1 << 13, RELATIVE_NODES: 1 << 14, STATIC_NODES: 1 << 15 } as const;

/** Domains of personality(2). */
export const PER = { LINUX: 0, LINUX32: 8 } as const;

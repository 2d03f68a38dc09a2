// Numbers of memory calls. Source: include/uapi/asm-generic/mman-common.h.

/** What may be done with a mapping. mmap(2), mprotect(2). */
export const PROT = { READ: 1, WRITE: 2, EXEC: 4 } as const;

/** Kinds of a mapping. mmap(2). */
export const MAP = { PRIVATE: 2, ANONYMOUS: 0x20, NORESERVE: 0x4000 } as const;

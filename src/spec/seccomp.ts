/** runtime-spec, config-linux.md, "Seccomp". Unknown system call names pass: profiles are newer than kernels. */
import type * as v from "valibot";
import { chapter, list, object, once, optional, text, texts, uint32, uint64, whole, word } from "./values.ts";

const actionSchema = once(() =>
  word(
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
  ),
);

const architectureSchema = once(() =>
  word(
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
  ),
);

const flagSchema = once(() =>
  word(
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
  ),
);

const argumentSchema = once(() =>
  object({
    index: whole(0, 5),
    value: uint64(),
    valueTwo: optional(uint64()),
    op: word(
      "SCMP_CMP_NE",
      "SCMP_CMP_LT",
      "SCMP_CMP_LE",
      "SCMP_CMP_EQ",
      "SCMP_CMP_GE",
      "SCMP_CMP_GT",
      "SCMP_CMP_MASKED_EQ",
    ),
  }),
);

const syscallSchema = once(() =>
  object({
    names: texts(),
    action: actionSchema(),
    errnoRet: optional(uint32()),
    args: chapter(() => list(argumentSchema())),
  }),
);

export const seccompSchema = once(() =>
  object({
    defaultAction: actionSchema(),
    defaultErrnoRet: optional(uint32()),
    architectures: chapter(() => list(architectureSchema())),
    flags: chapter(() => list(flagSchema())),
    listenerPath: optional(text()),
    listenerMetadata: optional(text()),
    syscalls: chapter(() => list(syscallSchema())),
  }),
);

export type Seccomp = v.InferOutput<ReturnType<typeof seccompSchema>>;
export type SeccompAction = Seccomp["defaultAction"];
export type SeccompArchitecture = v.InferOutput<ReturnType<typeof architectureSchema>>;
export type SeccompFlag = v.InferOutput<ReturnType<typeof flagSchema>>;
export type SeccompSyscall = v.InferOutput<ReturnType<typeof syscallSchema>>;
/** `value` and `valueTwo` are the whole 64 bits. */
export type SeccompArgument = v.InferOutput<ReturnType<typeof argumentSchema>>;

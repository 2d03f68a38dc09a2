/** Operation codes of the instructions that we use. Source: include/uapi/linux/bpf.h, Documentation/bpf/standardization. */
export const BPF_OP = {
  /** dst = the 32 bits at src + offset */
  LOAD: 0x61,
  /** 32-bit arithmetic: dst = imm, dst = src, dst &= imm, dst >>= imm */
  SET: 0xb4,
  COPY: 0xbc,
  AND: 0x54,
  SHIFT_RIGHT: 0x74,
  /** Jumps over `offset` instructions: always, or when the low 32 bits of dst are not imm, or have a bit of imm. */
  JUMP: 0x05,
  JUMP_UNLESS_EQUAL: 0x56,
  JUMP_IF_BITS: 0x46,
  /** Ends the program; r0 is the answer. */
  EXIT: 0x95,
} as const;

/** One instruction; what an operation does not use is 0. */
export interface BpfInstruction {
  readonly op: number;
  /** Registers 0 to 10. */
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
}

/** Bytes of one instruction, struct bpf_insn. */
export const BPF_INSN_SIZE = 8;

/** struct bpf_insn { u8 code; u8 dst:4, src:4; s16 off; s32 imm; } for each, little endian as both machines are. */
export function encodeInstructions(instructions: readonly BpfInstruction[]): Uint8Array {
  const words = new Uint32Array(2 * instructions.length);
  let at = 0;
  for (const { op, dst, src, offset, imm } of instructions) {
    words[at++] = op | (dst << 8) | (src << 12) | (offset << 16);
    words[at++] = imm;
  }
  return new Uint8Array(words.buffer);
}

/** An instruction in the words of the kernel's verifier, `if w2 != 1 goto +3`. For listings. */
export function renderInstruction({ op, dst, src, offset, imm }: BpfInstruction): string {
  switch (op) {
    case BPF_OP.LOAD:
      return `r${dst} = *(u32 *)(r${src} +${offset})`;
    case BPF_OP.SET:
      return `w${dst} = ${imm}`;
    case BPF_OP.COPY:
      return `w${dst} = w${src}`;
    case BPF_OP.AND:
      return `w${dst} &= ${imm}`;
    case BPF_OP.SHIFT_RIGHT:
      return `w${dst} >>= ${imm}`;
    case BPF_OP.JUMP:
      return `goto +${offset}`;
    case BPF_OP.JUMP_UNLESS_EQUAL:
      return `if w${dst} != ${imm} goto +${offset}`;
    case BPF_OP.JUMP_IF_BITS:
      return `if w${dst} & ${imm} goto +${offset}`;
    case BPF_OP.EXIT:
      return "exit";
    default:
      return `${op}`;
  }
}

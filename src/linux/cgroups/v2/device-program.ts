// The program that the kernel asks about every device that a container makes or opens (type CGROUP_DEVICE, Linux 4.15):
// the rules of config.json, from the last to the first, since the last that fits decides. Pure.
import { BPF_OP, type BpfInstruction } from "../../../../ffi/structs/bpf-insn.ts";
import { type AccessRule, everything, isTotal } from "../device-rules.ts";

// struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; }: the type is in the lower half of access_type, what
// is to be done in the upper one.
const typeNumbers = { b: 1, c: 2 } as const;

const [answer, context, type, access, major, minor] = [0, 1, 2, 3, 4, 5];

/**
 * Compiles rules. The program answers 1 when everything that is to be done is allowed; what no rule is about is not.
 * An access that several rules allow in part (read by one, write by another) is allowed.
 */
export function compileDeviceRules(rules: readonly AccessRule[]): BpfInstruction[] {
  const program = [
    ins(BPF_OP.LOAD, { dst: type, src: context }),
    ins(BPF_OP.COPY, { dst: access, src: type }),
    ins(BPF_OP.AND, { dst: type, imm: 0xffff }),
    ins(BPF_OP.SHIFT_RIGHT, { dst: access, imm: 16 }),
    ins(BPF_OP.LOAD, { dst: major, src: context, offset: 4 }),
    ins(BPF_OP.LOAD, { dst: minor, src: context, offset: 8 }),
  ];
  for (const rule of rules.toReversed()) {
    program.push(...compileRule(rule));
    // The verifier refuses instructions that cannot be reached.
    if (isTotal(rule)) return program;
  }
  return [...program, ...end(false)];
}

/** Goes on after its last instruction when the rule does not decide. */
function compileRule(rule: AccessRule): BpfInstruction[] {
  const decision = compileDecision(rule);
  const conditions = [
    { register: type, value: rule.type === "a" ? -1 : typeNumbers[rule.type] },
    { register: major, value: rule.major },
    { register: minor, value: rule.minor },
  ].filter(({ value }) => value !== -1);
  const length = conditions.length + decision.length;
  return [
    ...conditions.map(({ register, value }, index) =>
      ins(BPF_OP.JUMP_UNLESS_EQUAL, { dst: register, imm: value, offset: length - index - 1 }),
    ),
    ...decision,
  ];
}

function compileDecision({ allow, access: bits }: AccessRule): BpfInstruction[] {
  if (bits === everything) return end(allow);
  if (!allow) {
    return [
      ins(BPF_OP.JUMP_IF_BITS, { dst: access, imm: bits, offset: 1 }),
      ins(BPF_OP.JUMP, { offset: 2 }),
      ...end(false),
    ];
  }
  // What this rule allows need not be asked of earlier ones.
  return [
    ins(BPF_OP.AND, { dst: access, imm: everything & ~bits }),
    ins(BPF_OP.JUMP_UNLESS_EQUAL, { dst: access, imm: 0, offset: 2 }),
    ...end(true),
  ];
}

function end(allowed: boolean): BpfInstruction[] {
  return [ins(BPF_OP.SET, { dst: answer, imm: allowed ? 1 : 0 }), ins(BPF_OP.EXIT, {})];
}

function ins(
  op: number,
  { dst = 0, src = 0, offset = 0, imm = 0 }: Partial<Omit<BpfInstruction, "op">>,
): BpfInstruction {
  return { op, dst, src, offset, imm };
}

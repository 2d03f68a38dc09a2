// The program that the kernel asks about every device that a container makes or opens (type CGROUP_DEVICE, Linux 4.15):
// the rules of config.json, from the last to the first, since the last that fits decides. Pure.
import { BPF_OP, type BpfInstruction } from "../../../../ffi/structs/bpf-insn.ts";
import { type AccessRule, everything, isTotal } from "../device-rules.ts";

// struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; }: the type is in the lower half of access_type, what
// is to be done in the upper one.
const typeNumbers = { b: 1, c: 2 } as const;

// Registers. The program is given its context in r1, and answers in r0.
const answer = 0;
const context = 1;
const type = 2;
const access = 3;
const major = 4;
const minor = 5;

/**
 * Compiles rules. The program answers 1 when everything that is to be done is allowed; what no rule is about is not.
 * An access that several rules allow in part (read by one, write by another) is allowed.
 */
export function compileDeviceRules(rules: readonly AccessRule[]): BpfInstruction[] {
  const program = [
    ins(BPF_OP.LOAD, type, context, 0, 0),
    ins(BPF_OP.COPY, access, type, 0, 0),
    ins(BPF_OP.AND, type, 0, 0, 0xffff),
    ins(BPF_OP.SHIFT_RIGHT, access, 0, 0, 16),
    ins(BPF_OP.LOAD, major, context, 4, 0),
    ins(BPF_OP.LOAD, minor, context, 8, 0),
  ];
  for (let index = rules.length - 1; index >= 0; index--) {
    const rule = rules[index];
    if (!rule) continue;
    compileRule(program, rule);
    // The verifier refuses instructions that cannot be reached.
    if (isTotal(rule)) return program;
  }
  end(program, false);
  return program;
}

/** Goes on after its last instruction when the rule does not decide. */
function compileRule(program: BpfInstruction[], rule: AccessRule): void {
  const conditions: [register: number, value: number][] = [];
  if (rule.type !== "a") conditions.push([type, typeNumbers[rule.type]]);
  if (rule.major !== -1) conditions.push([major, rule.major]);
  if (rule.minor !== -1) conditions.push([minor, rule.minor]);
  const length = rule.access === everything ? 2 : 4;
  let left = conditions.length;
  for (const condition of conditions) {
    left--;
    program.push(ins(BPF_OP.JUMP_UNLESS_EQUAL, condition[0], 0, left + length, condition[1]));
  }
  if (rule.access !== everything) compilePart(program, rule);
  end(program, rule.allow);
}

/** Two instructions: lead to the two that follow when the rule decides, and past them when it does not. */
function compilePart(program: BpfInstruction[], { allow, access: bits }: AccessRule): void {
  if (allow) {
    // What this rule allows need not be asked of earlier ones.
    program.push(ins(BPF_OP.AND, access, 0, 0, everything & ~bits));
    program.push(ins(BPF_OP.JUMP_UNLESS_EQUAL, access, 0, 2, 0));
  } else {
    program.push(ins(BPF_OP.JUMP_IF_BITS, access, 0, 1, bits));
    program.push(ins(BPF_OP.JUMP, 0, 0, 2, 0));
  }
}

function end(program: BpfInstruction[], allowed: boolean): void {
  program.push(ins(BPF_OP.SET, answer, 0, 0, allowed ? 1 : 0));
  program.push(ins(BPF_OP.EXIT, 0, 0, 0, 0));
}

function ins(op: number, dst: number, src: number, offset: number, imm: number): BpfInstruction {
  return { op, dst, src, offset, imm };
}

import { expect, test } from "bun:test";
import {
  BPF_OP,
  type BpfInstruction,
  encodeInstructions,
  renderInstruction,
} from "../../../../ffi/structs/bpf-insn.ts";
import type { DeviceRule } from "../../../spec/types.ts";
import { ACCESS_BITS, accessRules } from "../device-rules.ts";
import { compileDeviceRules } from "./device-program.ts";

const start = [
  "r2 = *(u32 *)(r1 +0)",
  "w3 = w2",
  "w2 &= 65535",
  "w3 >>= 16",
  "r4 = *(u32 *)(r1 +4)",
  "r5 = *(u32 *)(r1 +8)",
];

test("the last rule is asked first, and nothing follows a rule about everything", () => {
  const all = { type: "a", major: -1, minor: -1, access: 7, property: "" } as const;
  const rules = [
    { ...all, allow: true },
    { ...all, allow: false },
    { ...all, allow: true, type: "c", major: 10, minor: 229 },
    { ...all, allow: false, type: "b", access: 4 },
    { ...all, allow: true, major: 7, access: 2 },
  ] as const;
  expect(compileDeviceRules(rules).map(renderInstruction)).toEqual([
    ...start,
    // any 7:* r
    "if w4 != 7 goto +4",
    "w3 &= 5",
    "if w3 != 0 goto +2",
    "w0 = 1",
    "exit",
    // not b *:* w
    "if w2 != 1 goto +4",
    "if w3 & 4 goto +1",
    "goto +2",
    "w0 = 0",
    "exit",
    // c 10:229 rwm
    "if w2 != 2 goto +4",
    "if w4 != 10 goto +3",
    "if w5 != 229 goto +2",
    "w0 = 1",
    "exit",
    // nothing else
    "w0 = 0",
    "exit",
  ]);
});

test("what no rule is about is forbidden", () => {
  expect(compileDeviceRules([]).map(renderInstruction)).toEqual([...start, "w0 = 0", "exit"]);
});

test("instructions as the kernel reads them", () => {
  const bytes = encodeInstructions([
    { op: BPF_OP.LOAD, dst: 5, src: 1, offset: 8, imm: 0 },
    { op: BPF_OP.JUMP_UNLESS_EQUAL, dst: 4, src: 0, offset: 3, imm: 0xffff_ffff },
  ]);
  expect(bytes.toHex()).toBe("6115080000000000" + "56040300ffffffff");
});

/** Runs a program as the kernel would. */
function run(
  program: readonly BpfInstruction[],
  type: "b" | "c",
  major: number,
  minor: number,
  access: string,
): number {
  const asked = [...access].reduce((sum, letter) => sum | ACCESS_BITS[letter as keyof typeof ACCESS_BITS], 0);
  const context = [(asked << 16) | (type === "b" ? 1 : 2), major, minor];
  const registers = new Uint32Array(11);
  const register = (number: number) => registers[number] ?? 0;
  for (let at = 0; ; at++) {
    const { op, dst, src, offset, imm } = program[at] ?? { op: 0, dst: 0, src: 0, offset: 0, imm: 0 };
    if (op === BPF_OP.LOAD) registers[dst] = context[offset / 4] ?? 0;
    else if (op === BPF_OP.SET) registers[dst] = imm;
    else if (op === BPF_OP.COPY) registers[dst] = register(src);
    else if (op === BPF_OP.AND) registers[dst] = register(dst) & imm;
    else if (op === BPF_OP.SHIFT_RIGHT) registers[dst] = register(dst) >>> imm;
    else if (op === BPF_OP.JUMP) at += offset;
    else if (op === BPF_OP.JUMP_UNLESS_EQUAL) at += register(dst) === imm >>> 0 ? 0 : offset;
    else if (op === BPF_OP.JUMP_IF_BITS) at += register(dst) & imm ? offset : 0;
    else if (op === BPF_OP.EXIT) return register(0);
    else throw new Error(`instruction ${at} is unknown`);
  }
}

test("the default rules, asked", () => {
  const program = compileDeviceRules(accessRules([{ allow: false, access: "rwm" }]));
  const allowed = (type: "b" | "c", major: number, minor: number, access: string) =>
    run(program, type, major, minor, access) === 1;
  for (const [major, minor] of [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
    [136, 7],
  ] as const) {
    expect(allowed("c", major, minor, "rw")).toBe(true);
  }
  expect(allowed("b", 8, 0, "m")).toBe(true);
  expect(allowed("c", 200, 200, "m")).toBe(true);
  for (const access of ["r", "w", "rw", "rwm"]) expect(allowed("b", 8, 0, access)).toBe(false);
  expect(allowed("b", 1, 3, "r")).toBe(false);
  expect(allowed("c", 5, 1, "w")).toBe(false);
  expect(allowed("c", 10, 229, "rw")).toBe(false);
});

test("several rules may allow an access together, and a later one forbid a part of it", () => {
  const device = { type: "c", major: 10, minor: 229 } as const;
  const rules: DeviceRule[] = [
    { allow: true, ...device, access: "r" },
    { allow: true, type: "c", major: 10, access: "w" },
    { allow: false, type: "c", minor: 230, access: "w" },
  ];
  const program = compileDeviceRules(accessRules(rules));
  expect(run(program, "c", 10, 229, "rw")).toBe(1);
  expect(run(program, "c", 10, 228, "rw")).toBe(0);
  expect(run(program, "c", 10, 228, "w")).toBe(1);
  expect(run(program, "c", 10, 230, "w")).toBe(0);
  expect(run(program, "c", 4_294_967_295, 1, "r")).toBe(0);
});

// Programs for people, as strace would print them. Loaded only to print: everything is read back from the image, so that
// a saved one explains itself as well as a program just recorded.
import { type CallName, type CallRow, calls, type Kind } from "../calls.ts";
import { renderArgument, renderText } from "../describe.ts";
import { errnoName } from "../errno-text.ts";
import { renderStruct } from "../structs/render.ts";
import { draft } from "./image.ts";
import { numberColumn, PSEUDO, stepSize, stepsAddress } from "./layout.ts";
import type { Program } from "./program.ts";
import { ImageReader, type ImageStep } from "./read-image.ts";

/** A step for an error message. */
export interface StepDescription {
  /** The config property or the deed that asked for it; empty when the program does not say. */
  readonly origin: string;
  /** The call with decoded arguments, `openat(AT_FDCWD, "/x", O_RDONLY)`. */
  readonly call: string;
}

/**
 * Explains a step of a program, or of an image or a saved copy of one.
 * Throws Error when the bytes are no image, RangeError when it has no such step.
 */
export function describeStep(image: Uint8Array | Program, index: number): StepDescription {
  const reader = new ImageReader(image instanceof Uint8Array ? image : draft(image));
  const step = reader.step(index);
  return { origin: step.origin, call: renderStep(reader, step) };
}

/**
 * A program, or a part of one, a line a step: `@origin result=call(arguments) !errors→label ≠0→label`. `!ENOENT` without
 * a label is an error that counts as success. Labels have lines of their own.
 */
export function listing(program: Uint8Array | Program): string[] {
  const reader = new ImageReader(program instanceof Uint8Array ? program : draft(program));
  const { steps } = reader.note;
  const lines: string[] = [];
  for (let index = 0; index <= steps; index++) {
    for (const label of reader.labelsAt(index)) lines.push(`${label}:`);
    if (index < steps) lines.push(renderLine(reader, reader.step(index)));
  }
  return lines;
}

function renderLine(reader: ImageReader, step: ImageStep): string {
  const origin = step.origin ? `@${step.origin} ` : "";
  const result =
    step.result === undefined ? "" : `${reader.registerName(step.result, step.index, "written")}=`;
  return origin + result + renderStep(reader, step) + renderPaths(reader, step);
}

function labelAt(reader: ImageReader, position: number): string {
  return reader.labelsAt(position)[0] ?? `step${position}`;
}

function renderPaths(reader: ImageReader, step: ImageStep): string {
  let paths = "";
  if (step.onError > 0) {
    const errors = step.errnos.length === 0 ? "any" : step.errnos.map(errnoName).join(",");
    paths += ` !${errors}`;
    // A jump to the next step and going on are one and the same to the interpreter.
    if (step.onError > 1) paths += `→${labelAt(reader, step.index + step.onError)}`;
  }
  if (step.onNonZero > 0 && !isJump(step)) paths += ` ≠0→${labelAt(reader, step.index + step.onNonZero)}`;
  return paths;
}

function isJump(step: ImageStep): boolean {
  return step.number === PSEUDO.SET && step.onNonZero > 0 && step.mask === 0 && step.args[0] === 1;
}

function renderStep(reader: ImageReader, step: ImageStep): string {
  switch (step.number) {
    case PSEUDO.SET:
      return isJump(step)
        ? `jump(${labelAt(reader, step.index + step.onNonZero)})`
        : `set(${renderOperand(reader, step, 0, "any")})`;
    case PSEUDO.STORE: {
      const width = step.args[2] === -1 ? 8 : 4;
      return `store(${renderOperand(reader, step, 0, "bytes")}, ${renderOperand(reader, step, 1, "any")}, ${width})`;
    }
    case PSEUDO.EXPECT:
      return renderExpectation(reader, step);
    default:
      return renderCall(reader, step);
  }
}

function renderExpectation(reader: ImageReader, step: ImageStep): string {
  const [source = 0, mask = 0, , error = 0] = step.args;
  const errno = errnoName(-Number(error));
  const own = stepsAddress + stepSize * step.index;
  if (Number(source) > own && Number(source) < own + stepSize) return `fail(${errno})`;
  const slot = reader.slotAt(source);
  const left =
    slot === undefined
      ? renderOperand(reader, step, 0, "bytes")
      : reader.registerName(slot, step.index, "read");
  const masked = mask === -1 ? left : `${left} & 0x${BigInt.asUintN(64, BigInt(mask)).toString(16)}`;
  const value = step.args[2] ?? 0;
  const register = (step.mask & 4) !== 0;
  const right = register || mask === -1 ? renderOperand(reader, step, 2, "int") : `0x${value.toString(16)}`;
  return `expect(${masked} == ${right}, ${errno})`;
}

function renderCall(reader: ImageReader, step: ImageStep): string {
  const column = numberColumn[reader.arch];
  const found = Object.entries(calls).find(([, row]) => row[column] === step.number);
  if (!found) return `syscall_${step.number}(${step.args.join(", ")})`;
  const [, , ...kinds] = found[1] as CallRow;
  const name = found[0] as CallName;
  // Its pages depend on everything else in the program, which no test of a part should.
  if (name === "madvise" && reader.isInside(step.args[0] ?? 0)) return "forget()";
  return `${name}(${kinds.map((kind, index) => renderOperand(reader, step, index, kind, name)).join(", ")})`;
}

function renderOperand(
  reader: ImageReader,
  step: ImageStep,
  index: number,
  kind: Kind,
  call?: CallName,
): string {
  const value = step.args[index] ?? 0;
  if ((step.mask & (1 << index)) !== 0) return reader.registerName(Number(value), step.index, "read");
  if (kind !== "path" && kind !== "text" && kind !== "bytes" && kind !== "any")
    return renderArgument(kind, value);
  const place = reader.placeAt(value);
  if (!place) return renderArgument(kind, value);
  // No note and no size: a text, which ends with its NUL.
  if (place.size === 0 && place.note === undefined) return renderText(reader.textAt(value));
  const offset = Number(value) - place.address;
  return renderPlace(reader, step, index, call, place) + (offset > 0 ? `+${offset}` : "");
}

const vectors: ReadonlySet<string> = new Set(["execve 1", "execve 2", "execveat 2", "execveat 3"]);

function renderPlace(
  reader: ImageReader,
  step: ImageStep,
  index: number,
  call: CallName | undefined,
  place: { readonly size: number; readonly note: string | undefined; readonly bytes: Uint8Array },
): string {
  if (place.note !== undefined) return place.note;
  if (call && vectors.has(`${call} ${index}`)) return renderVector(reader, place.bytes);
  const known = call && place.bytes.length > 0 && renderStruct(call, index, place.bytes, step.args);
  return known || `{${place.size} bytes}`;
}

/** Texts by their addresses, `["sh", "-c"]`. */
function renderVector(reader: ImageReader, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let at = 0; at < bytes.length - 8; at += 8) {
    const address = view.getBigUint64(at, true);
    if (address !== 0n) texts.push(renderText(reader.textAt(address)));
  }
  return `[${texts.join(", ")}]`;
}

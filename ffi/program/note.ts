// What explains an image: everything about the program that its process does not need, as JSON in an ELF note.
import { alignUp, type ImageNote, noteHeader, noteName, noteType } from "./layout.ts";
import type { Program } from "./program.ts";
import { labelPosition, type Slots, type Strictness } from "./resolve.ts";

/** Says what the steps' numbers mean. */
export function composeNote(
  program: Program,
  slots: Slots,
  areas: ImageNote["areas"],
  strictness: Strictness,
): ImageNote {
  const { steps, origins, labels, registers, memory, repeats } = program;
  const places: (number | string)[] = [];
  const names: (number | string)[] = [];
  let unnamed = 0;
  for (const { index, first, last, name, initial, unset } of registers) {
    const slot = slots[index] ?? -1;
    if (slot >= 0)
      names.push(slot, initial === undefined && unset < 0 ? first : -1, last, name || `$${++unnamed}`);
  }
  for (const label of labels) places.push(labelPosition(program, label, strictness), label.name);
  return {
    steps: steps.length,
    origins,
    registers: names,
    labels: places,
    areas,
    blobs: memory.blobs,
    repeats,
  };
}

const encoder = new TextEncoder();

/**
 * An image with its note behind it.
 * @param executable whose headers say that the note is empty
 * @param writeHeaders writes them once more, for a note of so many bytes
 */
export function appendNote(
  executable: Uint8Array,
  note: ImageNote,
  writeHeaders: (to: Uint32Array, noteSize: number) => void,
): Uint8Array {
  const text = JSON.stringify(note);
  const end = executable.length;
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  const room = noteHeader + text.length * 3;
  const bytes = new Uint8Array(alignUp(end + room, 4));
  const words = new Uint32Array(bytes.buffer);
  bytes.set(executable);
  const size = encoder.encodeInto(text, bytes.subarray(end + noteHeader)).written;
  words.set([noteName.length + 1, size, noteType], end / 4);
  encoder.encodeInto(noteName, bytes.subarray(end + 12));
  const noteSize = alignUp(noteHeader + size, 4);
  writeHeaders(words, noteSize);
  return bytes.subarray(0, end + noteSize);
}

import { SCM_RIGHTS, SOL_SOCKET } from "../constants/socket.ts";
import type { Data, Program } from "../program/program.ts";
import { words } from "./words.ts";

/** A recorded message that carries one descriptor. */
export interface DescriptorMessage {
  /** struct msghdr, for sendmsg. */
  readonly header: Data;
  /** Where the descriptor goes, 4 bytes wide. */
  readonly descriptor: Data;
}

/**
 * Lays a message out in a program: struct msghdr with one iovec and one SCM_RIGHTS control message, unix(7), cmsg(3).
 * @param payload text that goes along: a stream socket carries no descriptor without at least a byte
 */
export function descriptorMessage(program: Program, payload: string): DescriptorMessage {
  const bytes = new TextEncoder().encode(payload);
  const vector = program.data(words(0, bytes.length), `{${bytes.length} bytes}`);
  program.link(vector, program.constant(bytes));
  // struct cmsghdr { u64 length; s32 level; s32 type; }, the descriptor, padding to 8.
  const control = new Uint8Array(24);
  const view = new DataView(control.buffer);
  view.setBigUint64(0, 20n, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  const rights = program.data(control, "SCM_RIGHTS");
  // struct msghdr { name, name length, iovec, iovec count, control, control length, flags }
  const header = program.data(words(0, 0, 0, 1, 0, control.length, 0), "{SCM_RIGHTS}");
  program.link(header.at(16), vector);
  program.link(header.at(32), rights);
  return { header, descriptor: rights.at(16) };
}

import { expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { recordListen } from "./listen.ts";
import { recordFilter, recordSeccomp } from "./record.ts";

test("a second process sends the descriptor, and the first makes one call before it can be answered", () => {
  const program = newProgram();
  const load = () => recordSeccomp(program, recordFilter(program, new Uint8Array(8)), 8);
  recordListen(program, { kind: "listening", fd: 7 }, load, "linux.seccomp");
  const lines = listing(program).map((line) => line.replace(/^@\S+ /, ""));
  expect(lines).toEqual([
    "$1=eventfd2(0, O_CLOEXEC)",
    "hand-over=clone3({CLONE_FILES}, 88) ≠0→filter",
    "prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)",
    "read($1, SCM_RIGHTS+16, 8)",
    "$2=accept4(7, NULL, NULL, SOCK_CLOEXEC)",
    "sendmsg($2, {SCM_RIGHTS}, MSG_NOSIGNAL)",
    "$3=read($2, {8 bytes}, 1)",
    "expect($3 == 1, EPIPE)",
    "exit_group(0)",
    "filter:",
    "$4=seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, sock_fprog of 1 instructions)",
    "store({listener}, $4, 4)",
    "write($1, {listener}, 8)",
    "wait4(hand-over, status, 0, NULL) !any",
    "expect(status & 0xffffffff == 0x0, EPIPE)",
  ]);
});

import { expect, test } from "bun:test";
import { writeAll } from "../../../ffi/file.ts";
import { spawn } from "../../../ffi/process.ts";
import { encodeMessage, type Field } from "./protobuf.ts";
import { CriuEnd, CriuSession } from "./session.ts";

const shell = (script: string, socket: number) =>
  spawn("/bin/sh", ["sh", "-c", script], [], { keep: [socket] });

/** A criu that says these things, whatever it is asked, and ends when nobody listens any more. */
function saying(...answers: readonly (readonly Field[])[]): CriuSession {
  return new CriuSession((socket) => {
    for (const answer of answers) writeAll(socket, encodeMessage(answer));
    return spawn("/bin/sh", ["sh", "-c", "exec /bin/cat >/dev/null"], [], { stdin: socket });
  });
}

const notify = (script: string, pid: number): Field[] => [
  [1, 6],
  [2, true],
  [
    5,
    [
      [1, script],
      [2, pid],
    ],
  ],
];
const restored: Field[] = [
  [1, 2],
  [2, true],
  [4, [[1, 42]]],
];
const failed: Field[] = [
  [1, 2],
  [2, false],
  [7, 22],
];

test("a criu that ends in the middle is told by its status or its signal", () => {
  using ended = new CriuSession((socket) => shell("exit 3", socket));
  expect(() => ended.askVersion()).toThrow(new CriuEnd("criu ended with status 3"));
  using killed = new CriuSession((socket) => shell("kill -9 $$", socket));
  expect(() => killed.askVersion()).toThrow(new CriuEnd("criu was ended by signal 9"));
});

test("what keeps criu from being started is passed on", () => {
  const start = () => {
    throw new Error("no criu");
  };
  expect(() => new CriuSession(start)).toThrow("no criu");
});

test("notifications come before the last answer", () => {
  using session = saying(notify("pre-restore", 0), notify("post-restore", 42), restored);
  const heard: string[] = [];
  const answer = session.request("restore", { imagesDirFd: 3 }, ({ script, pid }) =>
    heard.push(`${script} ${pid}`),
  );
  expect(heard).toEqual(["pre-restore 0", "post-restore 42"]);
  expect(answer).toMatchObject({ success: true, restored: 42 });
});

test("what a listener throws is thrown when criu has given up, and the first of them", () => {
  using session = saying(notify("a", 0), notify("b", 0), failed);
  const refuse = ({ script }: { script: string }) => {
    throw new Error(`not ${script}`);
  };
  expect(() => session.request("restore", { imagesDirFd: 3 }, refuse)).toThrow("not a");
});

test("questions and a request go over one talk", () => {
  const version: Field[] = [
    [1, 10],
    [2, true],
    [
      10,
      [
        [1, 3],
        [2, 17],
        [4, 1],
      ],
    ],
  ];
  const features: Field[] = [
    [1, 9],
    [2, true],
    [8, [[1, true]]],
  ];
  using session = saying(version, features, failed);
  expect(session.askVersion()).toBe(31_701);
  expect(session.askFeatures()).toEqual({ memTrack: true, lazyPages: false });
  expect(session.request("dump", { imagesDirFd: 3 }, () => {})).toMatchObject({ success: false, errno: 22 });
});

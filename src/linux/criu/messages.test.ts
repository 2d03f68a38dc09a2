import { expect, test } from "bun:test";
import { decodeAnswer, encodeNotified, encodeQuestion, encodeRequest } from "./messages.ts";
import { encodeMessage, type Field } from "./protobuf.ts";

const hex = (bytes: Uint8Array) => bytes.toHex();

test("a request says what is to be done, and its options under the numbers of rpc.proto", () => {
  // criu_req { type = DUMP, opts { images_dir_fd = 5, pid = 300, leave_running = true } }
  const request = encodeRequest("dump", { imagesDirFd: 5, pid: 300, leaveRunning: true });
  expect(hex(request)).toBe("0801" + "1207" + "0805" + "10ac02" + "1801");
});

test("mappings are messages of a key and a value, repeated", () => {
  const request = encodeRequest("restore", {
    imagesDirFd: 1,
    extMnt: [{ key: "/a", value: "/b" }],
    inheritFd: [{ key: "k", fd: 7 }],
    external: ["x", "y"],
  });
  const extMnt = "ba01" + "08" + "0a022f61" + "12022f62";
  const inheritFd = "da01" + "05" + "0a016b" + "1007";
  const external = "aa020178" + "aa020179";
  expect(hex(request)).toBe(`0802121d0801${extMnt}${inheritFd}${external}`);
});

test("modes are numbers; the oldest option for cgroups goes with theirs", () => {
  const options = (...fields: Field[]) =>
    hex(
      encodeMessage([
        [1, 4],
        [2, [[1, 1], ...fields]],
      ]),
    );
  const request = (mode: "strict" | "ignore") =>
    hex(encodeRequest("preDump", { imagesDirFd: 1, manageCgroupsMode: mode }));
  expect(request("strict")).toBe(options([24, true], [34, 5]));
  expect(request("ignore")).toBe(options([24, false], [34, 0]));
  expect(hex(encodeRequest("preDump", { imagesDirFd: 1, networkLock: "skip" }))).toBe(options([64, 3]));
  expect(hex(encodeRequest("preDump", { imagesDirFd: 1, pageServer: { address: "a", port: 80 } }))).toBe(
    options([
      11,
      [
        [1, "a"],
        [2, 80],
      ],
    ]),
  );
});

test("questions keep the talk open; a notification is answered", () => {
  expect(hex(encodeQuestion("version"))).toBe("080a2001");
  expect(hex(encodeQuestion("featureCheck"))).toBe("0809" + "2001" + "2a04" + "08011001");
  expect(hex(encodeNotified(true))).toBe("08061801");
  expect(hex(encodeNotified(false))).toBe("08061800");
});

test("answers are understood", () => {
  const answer = (...fields: Field[]) => decodeAnswer(encodeMessage(fields));
  expect(
    answer(
      [1, 6],
      [2, true],
      [
        5,
        [
          [1, "post-restore"],
          [2, 42],
        ],
      ],
    ).notify,
  ).toEqual({ script: "post-restore", pid: 42 });
  expect(answer([1, 2], [2, true], [4, [[1, 43]]])).toMatchObject({
    success: true,
    restored: 43,
    notify: undefined,
  });
  expect(answer([1, 1], [2, false], [7, 22], [9, "why"])).toMatchObject({
    success: false,
    errno: 22,
    message: "why",
  });
  expect(
    answer(
      [1, 9],
      [2, true],
      [
        8,
        [
          [1, false],
          [2, true],
        ],
      ],
    ).features,
  ).toEqual({ memTrack: false, lazyPages: true });
  expect(
    answer(
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
    ).version,
  ).toBe(31_701);
  expect(
    answer(
      [1, 10],
      [2, true],
      [
        10,
        [
          [1, 4],
          [2, 1],
          [3, "v4.1-2-gabc"],
        ],
      ],
    ).version,
  ).toBe(40_101);
});

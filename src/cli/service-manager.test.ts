import { expect, test } from "bun:test";
import { readServiceManager, type ServiceVariables } from "./service-manager.ts";

test.each<[ServiceVariables, number]>([
  [{}, 0],
  [{ LISTEN_FDS: "2", LISTEN_PID: "7" }, 2],
  [{ LISTEN_FDS: "2" }, 0],
  [{ LISTEN_FDS: "2", LISTEN_PID: "8" }, 0],
  [{ LISTEN_FDS: "-1", LISTEN_PID: "7" }, 0],
  [{ LISTEN_FDS: "1x", LISTEN_PID: "7" }, 0],
  [{ LISTEN_FDS: "", LISTEN_PID: "7" }, 0],
  [{ LISTEN_FDS: "99999999999", LISTEN_PID: "7" }, 0],
])("process 7 with %j is given %d sockets", (variables, count) => {
  expect(readServiceManager(variables, 7).listenFds).toBe(count);
});

test("an empty NOTIFY_SOCKET is none", () => {
  expect(readServiceManager({ NOTIFY_SOCKET: "" }, 7).notifySocket).toBeUndefined();
  expect(readServiceManager({ NOTIFY_SOCKET: "@a" }, 7).notifySocket).toBe("@a");
});

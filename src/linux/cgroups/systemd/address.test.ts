import { expect, test } from "bun:test";
import { addressOf } from "./address.ts";

test("the machine's bus is at its usual place, or where the environment says", () => {
  expect(addressOf("system", { XDG_RUNTIME_DIR: "/run/user/5" })).toBe(
    "unix:path=/run/dbus/system_bus_socket",
  );
  expect(addressOf("system", { DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/x" })).toBe("unix:path=/x");
});

test("a user's bus is in the runtime directory, or where the environment says", () => {
  expect(addressOf("user", { XDG_RUNTIME_DIR: "/run/user/5" })).toBe("unix:path=/run/user/5/bus");
  expect(addressOf("user", { XDG_RUNTIME_DIR: "/run/ü;x" })).toBe("unix:path=/run/%c3%bc%3bx/bus");
  const both = { XDG_RUNTIME_DIR: "/run/user/5", DBUS_SESSION_BUS_ADDRESS: "unix:abstract=/y" };
  expect(addressOf("user", both)).toBe("unix:abstract=/y");
  for (const environment of [{}, { XDG_RUNTIME_DIR: "", DBUS_SESSION_BUS_ADDRESS: "" }])
    expect(() => addressOf("user", environment)).toThrow("XDG_RUNTIME_DIR");
});

// Against a bus of the test's own: a dbus-daemon that knows nobody but us.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Bus, BusError, type BusMethod } from "./sd-bus.ts";
import { busArray, busBoolean, busText, busUint32, busUint64 } from "./structs/bus-value.ts";

const daemon = Bun.which("dbus-daemon");
const busTest = test.skipIf(daemon === null);
let process: Bun.Subprocess<"ignore", "pipe", "ignore"> | undefined;
let address = "";

beforeAll(async () => {
  if (daemon === null) return;
  process = Bun.spawn([daemon, "--session", "--nofork", "--print-address=1"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  for await (const chunk of process.stdout) {
    address = new TextDecoder().decode(chunk).trim();
    break;
  }
});
afterAll(async () => {
  // So that it removes its socket.
  process?.kill("SIGTERM");
  await process?.exited;
});

const name = "org.freedesktop.DBus";
const method = (member: string): BusMethod => ({
  destination: name,
  path: "/org/freedesktop/DBus",
  interface: name,
  member,
});

function failure(action: () => unknown): BusError {
  try {
    action();
  } catch (error) {
    if (error instanceof BusError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

busTest("a method's answer is read", () => {
  using bus = new Bus(address);
  using reply = bus.call(method("GetId"), () => {}, 5000);
  expect(reply.readText("s")).toMatch(/^[0-9a-f]{32}$/);
  using owned = bus.call(
    method("RequestName"),
    (message) => {
      message.append(busText("org.bunc.Test"));
      message.append(busUint32(0));
    },
    5000,
  );
  expect(owned.readUint32()).toBe(1);
});

busTest("a variant is entered, and only as what it is", () => {
  using bus = new Bus(address);
  const get = () =>
    bus.call(
      { ...method("Get"), interface: "org.freedesktop.DBus.Properties" },
      (message) => {
        message.append(busText(name));
        message.append(busText("Features"));
      },
      5000,
    );
  using reply = get();
  reply.enterVariant("as");
  using other = get();
  expect(() => other.enterVariant("s")).toThrow(BusError);
});

busTest("values of every kind make a message", () => {
  using bus = new Bus(address);
  const error = failure(() =>
    bus.call(
      method("GetId"),
      (message) => {
        message.append(busBoolean(true));
        message.append({ kind: "double", value: 1.5 });
        message.append({ kind: "integer", type: "n", value: -5n });
        message.append(busUint64(-1n));
        message.append(busArray("y", [{ kind: "integer", type: "y", value: 7n }]));
        message.append(busArray("s", []));
        message.append({ kind: "struct", members: [busText("a"), busUint32(1)] });
        message.appendProperties([
          { name: "A", value: busText("x") },
          { name: "B", value: busArray("(ss)", [{ kind: "struct", members: [busText("a"), busText("b")] }]) },
        ]);
      },
      5000,
    ),
  );
  // The daemon has understood it, and looked at its signature.
  expect(error.error).toBe("org.freedesktop.DBus.Error.InvalidArgs");
  expect(error.message).toContain("bdntayas(su)a(sv)");
});

busTest("errors have the other side's name and words; those of the library have its call", () => {
  using bus = new Bus(address);
  const unknown = failure(() => bus.call(method("NoSuchMethod"), () => {}, 5000));
  expect(unknown.error).toBe("org.freedesktop.DBus.Error.UnknownMethod");
  expect(unknown.message).toStartWith("NoSuchMethod: ");
  // dbus-daemon ends this one with a line feed.
  const wrong = failure(() => bus.call(method("GetId"), (message) => message.append(busText("x")), 5000));
  expect(wrong.message).toBe("GetId: Call to GetId has wrong args (s, expected )");
  const path = { kind: "text", type: "o", value: "no path" } as const;
  expect(failure(() => bus.call(method("GetId"), (message) => message.append(path), 5000)).message).toBe(
    'sd_bus_message_append_basic(o, "no path"): Invalid argument',
  );
  expect(failure(() => new Bus("unix:path=/nowhere/bus")).message).toBe(
    "sd_bus_start: unix:path=/nowhere/bus: No such file or directory",
  );
});

busTest("signals are waited for, as long as they may take", () => {
  using bus = new Bus(address);
  bus.match(`type='signal',sender='${name}',member='NameOwnerChanged'`);
  // Somebody comes, and goes.
  new Bus(address)[Symbol.dispose]();
  const isChange = () => {
    using signal = bus.next(() => 5000);
    return signal?.isSignal(name, "NameOwnerChanged");
  };
  let seen = isChange();
  while (seen === false) seen = isChange();
  expect(seen).toBe(true);
  let left = 2;
  const isMore = () => {
    using signal = bus.next(() => left-- * 10);
    return signal !== undefined;
  };
  while (isMore()) left = 2;
  expect(left).toBeLessThan(1);
});

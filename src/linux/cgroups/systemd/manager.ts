// The talk with systemd: org.freedesktop.systemd1(5).
import { Bus, BusError, type BusMessage } from "../../../../ffi/sd-bus.ts";
import {
  type BusProperty,
  busArray,
  busBoolean,
  busText,
  busUint32,
} from "../../../../ffi/structs/bus-value.ts";
import { now } from "../wait.ts";
import { addressOf } from "./address.ts";
import type { BusKind } from "./facts.ts";

const destination = "org.freedesktop.systemd1";
const path = "/org/freedesktop/systemd1";
const managerInterface = "org.freedesktop.systemd1.Manager";

/** How many milliseconds systemd may take to do something; runc waits as long. */
const patience = 30_000;

/** A systemd's number, such as 252; 0 when it does not tell. Throws BusError. */
export function versionOf(manager: Manager): number {
  return Number.parseInt(/\d+/.exec(manager.property("Version"))?.[0] ?? "0", 10);
}

/** A connection to a systemd. Every method throws BusError. */
export class Manager implements Disposable {
  private readonly bus: Bus;

  /** Connects. Throws Error when that is not possible: no library, no bus. */
  constructor(kind: BusKind) {
    this.bus = new Bus(addressOf(kind, process.env));
  }

  [Symbol.dispose](): void {
    this.bus[Symbol.dispose]();
  }

  /** A text that systemd says of itself: `Version`, `ControlGroup`. */
  property(name: string): string {
    const method = { destination, path, interface: "org.freedesktop.DBus.Properties", member: "Get" };
    using reply = this.bus.call(
      method,
      (message) => {
        message.append(busText(managerInterface));
        message.append(busText(name));
      },
      patience,
    );
    reply.enterVariant("s");
    return reply.readText("s");
  }

  /** Starts a scope with a process in it, and waits until that is done. */
  startScope(unit: string, properties: readonly BusProperty[], pid: number): void {
    const all = [...properties, { name: "PIDs", value: busArray("u", [busUint32(pid)]) }];
    const start = () =>
      this.job(unit, "StartTransientUnit", (message) => {
        message.append(busText(unit));
        message.append(busText("fail"));
        message.appendProperties(all);
        // Further units that this one needs: none.
        message.append(busArray("(sa(sv))", []));
      });
    try {
      start();
    } catch (error) {
      if (!(error instanceof BusError) || !error.error.endsWith(".UnitExists")) throw error;
      // What is left of one that has failed: one that lives stays, and is in the way.
      this.resetFailed(unit);
      start();
    }
  }

  /** Stops a scope with every process in it, and waits until it is gone. One that is gone already is no error. */
  stopScope(unit: string): void {
    try {
      this.job(unit, "StopUnit", (message) => {
        message.append(busText(unit));
        message.append(busText("replace"));
      });
    } catch (error) {
      if (!(error instanceof BusError) || !error.error.endsWith(".NoSuchUnit")) throw error;
      return;
    }
    this.resetFailed(unit);
  }

  /** Moves a process into a cgroup of a unit. Since systemd 238. @param subgroup its path in the unit's, from "/" on */
  attach(unit: string, subgroup: string, pid: number): void {
    using _ = this.call("AttachProcessesToUnit", (message) => {
      message.append(busText(unit));
      message.append(busText(subgroup));
      message.append(busArray("u", [busUint32(pid)]));
    });
  }

  /** Sets properties of a unit, until the machine is booted anew; they hold when this returns. */
  setProperties(unit: string, properties: readonly BusProperty[]): void {
    using _ = this.call("SetUnitProperties", (message) => {
      message.append(busText(unit));
      message.append(busBoolean(true));
      message.appendProperties(properties);
    });
    // It is written to the cgroup after the answer, but before any further one.
    this.property("Version");
  }

  private resetFailed(unit: string): void {
    try {
      using _ = this.call("ResetFailedUnit", (message) => message.append(busText(unit)));
    } catch (error) {
      // It is not there any more, or has not failed.
      if (!(error instanceof BusError) || error.error === "") throw error;
    }
  }

  private call(member: string, fill: (message: BusMessage) => void): BusMessage {
    return this.bus.call({ destination, path, interface: managerInterface, member }, fill, patience);
  }

  /** Calls a method that begins a job, and waits for its end. */
  private job(unit: string, member: string, fill: (message: BusMessage) => void): void {
    const deadline = now() + patience;
    this.bus.match(
      `type='signal',sender='${destination}',path='${path}',interface='${managerInterface}',member='JobRemoved'`,
    );
    using reply = this.call(member, fill);
    const job = reply.readText("o");
    for (;;) {
      using message = this.bus.next(() => deadline - now());
      if (!message)
        throw new BusError("", `${member}: systemd has not done it for ${unit} in ${patience / 1000} s`);
      if (!message.isSignal(managerInterface, "JobRemoved")) continue;
      // The job's number, its object, the unit, and how it went.
      message.readUint32();
      if (message.readText("o") !== job) continue;
      message.readText("s");
      const result = message.readText("s");
      if (result !== "done")
        throw new BusError(
          "",
          `${member}: systemd says "${result}" of ${unit}; journalctl -u ${unit} tells more`,
        );
      return;
    }
  }
}

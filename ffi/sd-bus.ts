// sd-bus of libsystemd: a connection to a bus, and the calls over it.
import { BusMessage } from "./bus-message.ts";
import { ptr } from "./engine.ts";
import { errnoText } from "./errno-text.ts";
import { BusError, check, lend, library, Out, textAt } from "./libsystemd.ts";

export { BusError, BusMessage };

/** A method of an object on the bus. */
export interface BusMethod {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

/** A connection to a bus. */
export class Bus implements Disposable {
  private readonly bus: bigint;

  /**
   * Connects.
   * @param address as D-Bus has them: unix:path=/run/dbus/system_bus_socket
   * Throws BusError, and Error when there is no libsystemd.
   */
  constructor(address: string) {
    const { sd_bus_new, sd_bus_set_address, sd_bus_set_bus_client, sd_bus_start } = library();
    const out = new Out();
    check(sd_bus_new(out.address), "sd_bus_new");
    this.bus = out.value;
    try {
      const code = lend((lent) => sd_bus_set_address(this.bus, lent(address)));
      check(code, `sd_bus_set_address(${address})`);
      check(sd_bus_set_bus_client(this.bus, 1), "sd_bus_set_bus_client");
      check(sd_bus_start(this.bus), `sd_bus_start: ${address}`);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Asks for signals; they are given by `next`. @param rule as D-Bus has them: type='signal',member='JobRemoved' */
  match(rule: string): void {
    const { sd_bus_add_match: add } = library();
    check(
      lend((lent) => add(this.bus, 0n, lent(rule), 0n, 0n)),
      `sd_bus_add_match(${rule})`,
    );
  }

  /**
   * Calls a method and waits for its answer.
   * @param fill appends the arguments
   * @param milliseconds how long it may take
   * Throws BusError with the error's own name.
   */
  call(method: BusMethod, fill: (message: BusMessage) => void, milliseconds: number): BusMessage {
    const { destination, path, interface: interfaceName, member } = method;
    const { sd_bus_message_new_method_call: make, sd_bus_call } = library();
    const out = new Out();
    const code = lend((lent) =>
      make(this.bus, out.address, lent(destination), lent(path), lent(interfaceName), lent(member)),
    );
    check(code, "sd_bus_message_new_method_call");
    using message = new BusMessage(out.value);
    fill(message);
    using error = new CallError();
    const reply = new Out();
    const time = BigInt(Math.ceil(milliseconds * 1000));
    const status = sd_bus_call(this.bus, message.address, time, error.address, reply.address);
    if (status < 0) throw error.explain(member, -status);
    return new BusMessage(reply.value);
  }

  /** The next message that is no answer; undefined when none has come by the deadline. @param left milliseconds until then */
  next(left: () => number): BusMessage | undefined {
    const { sd_bus_process, sd_bus_wait } = library();
    for (;;) {
      const out = new Out();
      const code = check(sd_bus_process(this.bus, out.address), "sd_bus_process");
      if (out.value !== 0n) return new BusMessage(out.value);
      if (code > 0) continue;
      const time = left();
      if (time <= 0) return undefined;
      check(sd_bus_wait(this.bus, BigInt(Math.ceil(time * 1000))), "sd_bus_wait");
    }
  }

  [Symbol.dispose](): void {
    library().sd_bus_flush_close_unref(this.bus);
  }
}

/** struct sd_bus_error { const char *name; const char *message; int _need_free; } */
class CallError implements Disposable {
  private readonly words = new BigUint64Array(3);
  readonly address = ptr(this.words);

  explain(member: string, errno: number): BusError {
    const [name = 0n, message = 0n] = this.words;
    if (name === 0n) return new BusError("", `${member}: ${errnoText(errno)}`);
    const words = textAt(message === 0n ? name : message);
    return new BusError(textAt(name), `${member}: ${words.trim().replaceAll("\n", " ")}`);
  }

  [Symbol.dispose](): void {
    library().sd_bus_error_free(this.address);
  }
}

// sd-bus of libsystemd: a client of D-Bus. Opened by whoever asks systemd for something, so that nothing else pays for it.
// sd_bus_message_append(3) takes variable arguments, which bun:ffi cannot pass; what it is made of is called instead.
import type { Pointer } from "bun:ffi";
import { CString, ptr, word64 } from "./engine.ts";
import { errnoText } from "./errno-text.ts";
import { beginCall, lendText } from "./memory.ts";
import { openSharedLibrary } from "./shared-library.ts";
import { type BusValue, signatureOf } from "./structs/bus-value.ts";

const handle = word64;
const text = word64;
const result = "i32";

function openLibrary() {
  return openSharedLibrary("libsystemd.so.0", {
    // int sd_bus_new(sd_bus **ret)
    sd_bus_new: { args: ["ptr"], returns: result },
    // int sd_bus_set_address(sd_bus *bus, const char *address)
    sd_bus_set_address: { args: [handle, text], returns: result },
    // int sd_bus_set_bus_client(sd_bus *bus, int b)
    sd_bus_set_bus_client: { args: [handle, "i32"], returns: result },
    // int sd_bus_start(sd_bus *bus)
    sd_bus_start: { args: [handle], returns: result },
    // sd_bus *sd_bus_flush_close_unref(sd_bus *bus)
    sd_bus_flush_close_unref: { args: [handle], returns: handle },
    // int sd_bus_add_match(sd_bus *bus, sd_bus_slot **slot, const char *match, sd_bus_message_handler_t, void *userdata)
    sd_bus_add_match: { args: [handle, handle, text, handle, handle], returns: result },
    // int sd_bus_message_new_method_call(sd_bus *bus, sd_bus_message **m, const char *destination, const char *path,
    //   const char *interface, const char *member)
    sd_bus_message_new_method_call: { args: [handle, "ptr", text, text, text, text], returns: result },
    // int sd_bus_message_append_basic(sd_bus_message *m, char type, const void *p)
    sd_bus_message_append_basic: { args: [handle, "i8", handle], returns: result },
    // int sd_bus_message_open_container(sd_bus_message *m, char type, const char *contents)
    sd_bus_message_open_container: { args: [handle, "i8", text], returns: result },
    // int sd_bus_message_close_container(sd_bus_message *m)
    sd_bus_message_close_container: { args: [handle], returns: result },
    // int sd_bus_message_enter_container(sd_bus_message *m, char type, const char *contents)
    sd_bus_message_enter_container: { args: [handle, "i8", text], returns: result },
    // int sd_bus_message_read_basic(sd_bus_message *m, char type, void *p)
    sd_bus_message_read_basic: { args: [handle, "i8", "ptr"], returns: result },
    // int sd_bus_message_is_signal(sd_bus_message *m, const char *interface, const char *member)
    sd_bus_message_is_signal: { args: [handle, text, text], returns: result },
    // sd_bus_message *sd_bus_message_unref(sd_bus_message *m)
    sd_bus_message_unref: { args: [handle], returns: handle },
    // int sd_bus_call(sd_bus *bus, sd_bus_message *m, uint64_t usec, sd_bus_error *ret_error, sd_bus_message **reply)
    sd_bus_call: { args: [handle, handle, "u64", "ptr", "ptr"], returns: result },
    // int sd_bus_process(sd_bus *bus, sd_bus_message **r)
    sd_bus_process: { args: [handle, "ptr"], returns: result },
    // int sd_bus_wait(sd_bus *bus, uint64_t timeout_usec)
    sd_bus_wait: { args: [handle, "u64"], returns: result },
    // void sd_bus_error_free(sd_bus_error *e)
    sd_bus_error_free: { args: ["ptr"], returns: "void" },
  });
}

let opened: ReturnType<typeof openLibrary> | undefined;

function library(): ReturnType<typeof openLibrary> {
  try {
    opened ??= openLibrary();
    return opened;
  } catch (cause) {
    throw new Error(
      "it takes libsystemd.so.0: install the package libsystemd0 (Debian, Ubuntu, openSUSE) or systemd-libs (Fedora, Arch)",
      { cause },
    );
  }
}

/** A call over D-Bus that failed. The message is one line: the call, and what the other side says of it. */
export class BusError extends Error {
  override readonly name = "BusError";

  /** @param error name of the error as D-Bus has it, `org.freedesktop.systemd1.UnitExists`; "" when the bus itself failed */
  constructor(
    readonly error: string,
    message: string,
  ) {
    super(message);
  }
}

/** A method of an object on the bus. */
export interface BusMethod {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

/** Where a pointer is stored by the library. */
class Out {
  private readonly cell = new BigUint64Array(1);
  readonly address = ptr(this.cell);
  get value(): bigint {
    return this.cell[0] ?? 0n;
  }
}

function check(code: number, call: string): number {
  if (code < 0) throw new BusError("", `${call}: ${errnoText(-code)}`);
  return code;
}

// Numbers to be appended: the library reads as many bytes as their type has, from the lowest on. It lives as long as the
// process, so that its address stays good.
const number = new BigInt64Array(1);
const double = new Float64Array(number.buffer);
const numberAddress = BigInt(ptr(number));

const charOf = (type: string) => type.charCodeAt(0);

/** Calls a function of the library that takes texts. */
function lend<T>(call: (lent: typeof lendText) => T): T {
  beginCall();
  return call(lendText);
}

/** A message to be sent, or that was received. */
export class BusMessage implements Disposable {
  constructor(private readonly message: bigint) {}

  /** Adds a value. Throws BusError. */
  append(value: BusValue): void {
    switch (value.kind) {
      case "boolean":
        number[0] = value.value ? 1n : 0n;
        this.appendNumber("b");
        break;
      case "integer":
        number[0] = BigInt.asIntN(64, value.value);
        this.appendNumber(value.type);
        break;
      case "double":
        double[0] = value.value;
        this.appendNumber("d");
        break;
      case "text":
        this.appendText(value.type, value.value);
        break;
      case "array":
        this.within("a", value.element, () => {
          for (const item of value.items) this.append(item);
        });
        break;
      case "struct":
        this.within("r", value.members.map(signatureOf).join(""), () => {
          for (const member of value.members) this.append(member);
        });
    }
  }

  /** Adds a list of named values: `a(sv)`. Throws BusError. */
  appendProperties(properties: readonly { readonly name: string; readonly value: BusValue }[]): void {
    this.within("a", "(sv)", () => {
      for (const { name, value } of properties) {
        this.within("r", "sv", () => {
          this.appendText("s", name);
          this.within("v", signatureOf(value), () => this.append(value));
        });
      }
    });
  }

  /** The next value, a text. Throws BusError when it is none. */
  readText(type: "s" | "o"): string {
    const out = new Out();
    const { sd_bus_message_read_basic: readBasic } = library();
    check(readBasic(this.message, charOf(type), out.address), "sd_bus_message_read_basic");
    return textAt(out.value);
  }

  /** The next value, an integer of 32 bits without a sign. Throws BusError when it is none. */
  readUint32(): number {
    const out = new Out();
    const { sd_bus_message_read_basic: readBasic } = library();
    check(readBasic(this.message, charOf("u"), out.address), "sd_bus_message_read_basic");
    return Number(out.value & 0xffff_ffffn);
  }

  /** Goes into a variant that holds a value of this type. Throws BusError when there is none. */
  enterVariant(signature: string): void {
    const { sd_bus_message_enter_container: enter } = library();
    const code = lend((lent) => enter(this.message, charOf("v"), lent(signature)));
    // 0 is the end of the message.
    if (code === 0) throw new BusError("", "the answer is empty");
    check(code, "sd_bus_message_enter_container");
  }

  isSignal(interfaceName: string, member: string): boolean {
    const { sd_bus_message_is_signal: isSignal } = library();
    return lend((lent) => isSignal(this.message, lent(interfaceName), lent(member))) > 0;
  }

  /** For the bus that sends it. */
  get address(): bigint {
    return this.message;
  }

  [Symbol.dispose](): void {
    library().sd_bus_message_unref(this.message);
  }

  private appendNumber(type: string): void {
    const { sd_bus_message_append_basic: append } = library();
    check(append(this.message, charOf(type), numberAddress), "sd_bus_message_append_basic");
  }

  private appendText(type: string, value: string): void {
    const { sd_bus_message_append_basic: append } = library();
    const code = lend((lent) => append(this.message, charOf(type), BigInt(lent(value))));
    check(code, `sd_bus_message_append_basic(${type}, ${JSON.stringify(value)})`);
  }

  private within(type: string, contents: string, fill: () => void): void {
    const { sd_bus_message_open_container: open, sd_bus_message_close_container: close } = library();
    const code = lend((lent) => open(this.message, charOf(type), BigInt(lent(contents))));
    check(code, `sd_bus_message_open_container(${type}, ${contents})`);
    fill();
    check(close(this.message), "sd_bus_message_close_container");
  }
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

function textAt(address: bigint): string {
  return address === 0n ? "" : new CString(Number(address) as Pointer).toString();
}

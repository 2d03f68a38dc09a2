// Messages of D-Bus. sd_bus_message_append(3) takes variable arguments, which bun:ffi cannot pass; what it is made of is
// called instead.
import { ptr } from "./engine.ts";
import { BusError, check, lend, library, Out, textAt } from "./libsystemd.ts";
import { type BusValue, signatureOf } from "./structs/bus-value.ts";

// Numbers to be appended: the library reads as many bytes as their type has, from the lowest on. It lives as long as the
// process, so that its address stays good.
const number = new BigInt64Array(1);
const double = new Float64Array(number.buffer);
const numberAddress = BigInt(ptr(number));

const charOf = (type: string) => type.charCodeAt(0);

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

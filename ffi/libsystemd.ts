// libsystemd, as much of it as sd-bus is: a client of D-Bus. Opened by whoever asks systemd for something, so that nothing
// else pays for it. sd-bus(3).
import type { Pointer } from "bun:ffi";
import { CString, ptr, word64 } from "./engine.ts";
import { errnoText } from "./errno-text.ts";
import { beginCall, lendText } from "./memory.ts";
import { openSharedLibrary } from "./shared-library.ts";

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

/** The functions. Throws Error, naming the packages, when the library is not installed. */
export function library(): ReturnType<typeof openLibrary> {
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

/** Where a pointer is stored by the library. */
export class Out {
  private readonly cell = new BigUint64Array(1);
  readonly address = ptr(this.cell);
  get value(): bigint {
    return this.cell[0] ?? 0n;
  }
}

/** Throws BusError for a negated error number. */
export function check(code: number, call: string): number {
  if (code < 0) throw new BusError("", `${call}: ${errnoText(-code)}`);
  return code;
}

/** Calls a function of the library that takes texts. */
export function lend<T>(call: (lent: typeof lendText) => T): T {
  beginCall();
  return call(lendText);
}

/** The text at an address; "" for a null pointer. */
export function textAt(address: bigint): string {
  return address === 0n ? "" : new CString(Number(address) as Pointer).toString();
}

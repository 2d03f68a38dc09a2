import type { BusKind } from "./facts.ts";

/**
 * Address of the bus of a systemd. D-Bus specification, "Well-known Message Bus Instances"; sd_bus_default(3).
 * @param environment of the process. An empty variable counts as an unset one: podman passes such.
 * Throws Error when the user's bus is nowhere to be found.
 */
export function addressOf(kind: BusKind, environment: Readonly<Record<string, string | undefined>>): string {
  if (kind === "system")
    return environment.DBUS_SYSTEM_BUS_ADDRESS || "unix:path=/run/dbus/system_bus_socket";
  const address = environment.DBUS_SESSION_BUS_ADDRESS;
  if (address) return address;
  const directory = environment.XDG_RUNTIME_DIR;
  if (directory?.startsWith("/")) return `unix:path=${escapeAddress(directory)}/bus`;
  throw new Error("the user's bus is not known: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set");
}

/** D-Bus specification, "Server Addresses": other bytes are written in hexadecimal. */
function escapeAddress(path: string): string {
  const bytes = new TextEncoder().encode(path);
  return Array.from(bytes, (byte) => {
    const letter = String.fromCharCode(byte);
    return /[-\w/.*]/.test(letter) ? letter : `%${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

// Messages to the machine's own log, as crun's --log takes it: journald:ID and syslog:ID. Loaded only then.
import { SyscallError } from "../../ffi/error.ts";
import { exists } from "../../ffi/file.ts";
import { sendDatagram } from "../../ffi/socket.ts";
import { UsageError } from "./usage-error.ts";

/** What a message's weight is to syslog. syslog(3). */
const severities: Readonly<Record<string, number>> = { error: 3, warning: 4, info: 6, debug: 7 };
/** LOG_USER, shifted as it is sent. */
const facility = 1 << 3;

/** One message as a socket takes it. */
type Format = (identifier: string, level: string, message: string, pid: number) => string;

/** RFC 3164 without its time, which whoever listens at the socket puts there. */
const formatSyslog: Format = (identifier, level, message, pid) =>
  `<${facility | (severities[level] ?? 6)}>${identifier}[${pid}]: ${message}`;

/** systemd.journal-fields(7), in the form of systemd's native protocol: a line for each field. */
const formatJournal: Format = (identifier, level, message) =>
  `MESSAGE=${message}\nPRIORITY=${severities[level] ?? 6}\nSYSLOG_IDENTIFIER=${identifier}\n`;

interface Service {
  readonly socket: string;
  readonly format: Format;
}

const services: Readonly<Record<string, Service>> = {
  "journald:": { socket: "/run/systemd/journal/socket", format: formatJournal },
  "syslog:": { socket: "/dev/log", format: formatSyslog },
};

/** Writes one message, which is one line. */
export type WriteMessage = (level: string, message: string) => void;

/**
 * Who takes messages for a value of --log, `syslog:ID` for example.
 * @param socket in the place of the service's own
 * Throws UsageError when the service is not known, or does not run.
 */
export function openService(target: string, pid: number, socket?: string): WriteMessage {
  const length = target.indexOf(":") + 1;
  const service = services[target.slice(0, length)];
  if (!service) throw new UsageError(`--log ${target}: no such service`);
  const path = socket ?? service.socket;
  const identifier = target.slice(length) || "bunc";
  if (!exists(path)) throw new UsageError(`--log ${target}: nobody listens at ${path}`);
  return (level, message) => {
    try {
      sendDatagram(path, service.format(identifier, level, message, pid));
    } catch (error) {
      // There is nobody to tell.
      if (!(error instanceof SyscallError)) throw error;
    }
  };
}

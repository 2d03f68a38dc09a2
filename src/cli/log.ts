import { O } from "../../ffi/constants/file.ts";
import { openFile } from "../../ffi/file.ts";
import { attempt } from "../../ffi/libc.ts";
import { encodeText } from "../../ffi/memory.ts";
import type { Logger } from "../container/options.ts";
import type { WriteMessage } from "./log-service.ts";

/** Whether --log names the machine's own log, for which there is src/cli/log-service.ts. */
export function namesService(target: string): boolean {
  return target.startsWith("journald:") || target.startsWith("syslog:");
}

export type LogFormat = "text" | "json";

// Weightier first. --log-level names the last that is written.
const levels = ["error", "warning", "info", "debug"] as const;
type Level = (typeof levels)[number];

const stderr = 2;

/** One record in the form that callers parse: logrus's JSON, or its text. The time is RFC 3339, UTC. */
export function formatRecord(format: LogFormat, level: Level, message: string, now: Date): string {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  return format === "json"
    ? `${JSON.stringify({ level, msg: message, time })}\n`
    : `time="${time}" level=${level} msg=${JSON.stringify(message)}\n`;
}

/** One line for a person at a terminal. */
function formatPlain(level: Level, message: string): string {
  return level === "error" ? `bunc: ${message}\n` : `bunc: ${level}: ${message}\n`;
}

function write(fd: number, line: string): void {
  const bytes = encodeText(line);
  // One write(2) a line keeps the lines of several writers whole; there is nobody to tell that it failed.
  attempt.write(fd, bytes, bytes.length);
}

/**
 * Messages for people and for callers. With a file they go there, and an error to stderr too, where callers without
 * the file look for it; without one they go to stderr.
 */
export class Log implements Logger {
  private readonly file: number | undefined;
  /** The machine's own log, in place of a file. */
  private readonly service: WriteMessage | undefined;
  private readonly format: LogFormat;
  private readonly last: number;

  /**
   * @param file path, or file:PATH, as crun has it; opened at once, so that a wrong one is not found out only by an error
   * @param level name of the last level that is written
   *   or who src/cli/log-service.ts knows
   * @throws SyscallError when the file cannot be opened, UsageError when nobody listens
   */
  constructor({ file, format, level }: { file: string | undefined; format: LogFormat; level: string }) {
    this.format = format;
    this.last = levels.indexOf(level as Level);
    if (file === undefined) return;
    if (namesService(file)) {
      const { openService } = require("./log-service.ts") as typeof import("./log-service.ts");
      this.service = openService(file, process.pid);
      return;
    }
    const path = file.startsWith("file:") ? file.slice("file:".length) : file;
    this.file = openFile(path, O.WRONLY | O.APPEND | O.CREAT, 0o644).release();
  }

  private write(level: Level, message: string): void {
    if (levels.indexOf(level) > this.last) return;
    // A message is one line: callers read line by line.
    const line = message.trim().replace(/\s*\n\s*/g, "; ");
    const record = () => formatRecord(this.format, level, line, new Date());
    if (this.file !== undefined) write(this.file, record());
    this.service?.(level, line);
    const isElsewhere = this.file !== undefined || this.service !== undefined;
    if (isElsewhere && level !== "error") return;
    const isRecord = !isElsewhere && this.format === "json";
    write(stderr, isRecord ? record() : formatPlain(level, line));
  }

  error(message: string): void {
    this.write("error", message);
  }

  warn(message: string): void {
    this.write("warning", message);
  }

  info(message: string): void {
    this.write("info", message);
  }

  debug(message: string): void {
    if (this.last === levels.length - 1) this.write("debug", message);
  }
}

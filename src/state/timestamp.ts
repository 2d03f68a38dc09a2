import { libc } from "../../ffi/libc.ts";

/** RFC 3339 with nanoseconds, UTC: `2026-01-02T03:04:05.000000006Z`. */
export function rfc3339Nano(seconds: number, nanoseconds: number): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${whole}.${nanoseconds.toString().padStart(9, "0")}Z`;
}

/** The time now, for StateRecord.created. clock_gettime(2), CLOCK_REALTIME. */
export function timestamp(): string {
  // struct timespec { s64 seconds; s64 nanoseconds; }
  const time = new Uint32Array(4);
  libc.clock_gettime(0, new Uint8Array(time.buffer));
  const seconds = (time[1] as number) * 2 ** 32 + (time[0] as number);
  return rfc3339Nano(seconds, time[2] as number);
}

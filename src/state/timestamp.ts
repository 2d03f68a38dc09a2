import { libc } from "../../ffi/libc.ts";

/** RFC 3339 with nanoseconds, UTC: `2026-01-02T03:04:05.000000006Z`. */
export function rfc3339Nano(seconds: bigint, nanoseconds: bigint): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}.${nanoseconds.toString().padStart(9, "0")}Z`;
}

/** The time now, for StateRecord.created. clock_gettime(2), CLOCK_REALTIME. */
export function timestamp(): string {
  // struct timespec { s64 seconds; s64 nanoseconds; }
  const time = new BigInt64Array(2);
  libc.clock_gettime(0, new Uint8Array(time.buffer));
  return rfc3339Nano(time[0] ?? 0n, time[1] ?? 0n);
}

import { joinPath } from "../../../spec/describe.ts";
import { type Limit, limit } from "../limit.ts";

/**
 * Files of version 2 that config.json names itself: written as they stand. Each line is written by itself, since the
 * kernel takes one device a write (io.max).
 */
export function limitUnified(unified: Readonly<Record<string, string>>): Limit[] {
  return Object.entries(unified).flatMap(([file, value]) => {
    const property = joinPath("linux.resources.unified", file);
    const lines = value.split("\n").filter((line) => line !== "");
    return (lines.length > 0 ? lines : [""]).map((line) => limit(file, line, property));
  });
}

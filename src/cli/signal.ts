import { SIG, SIGRTMAX, SIGRTMIN } from "../../ffi/constants/signal.ts";
import { UsageError } from "./usage-error.ts";

// Second names. Source: signal(7).
const synonyms: Readonly<Record<string, number>> = { IOT: SIG.ABRT, CLD: SIG.CHLD, POLL: SIG.IO };

function lookUp(name: string): number | undefined {
  if (Object.hasOwn(SIG, name)) return SIG[name as keyof typeof SIG];
  if (Object.hasOwn(synonyms, name)) return synonyms[name];
  const realTime = /^RT(?:MIN(?:\+(\d{1,2}))?|MAX(?:-(\d{1,2}))?)$/.exec(name);
  if (!realTime) return undefined;
  const number = name.startsWith("RTMIN")
    ? SIGRTMIN + Number(realTime[1] ?? 0)
    : SIGRTMAX - Number(realTime[2] ?? 0);
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}

/**
 * The number of a signal: `SIGTERM`, `TERM`, `term`, `15`, `SIGRTMIN+3`, `RTMAX-1`; 0 sends nothing and only asks.
 * @throws UsageError
 */
export function parseSignal(text: string): number {
  const number = /^\d{1,2}$/.test(text) ? Number(text) : lookUp(text.toUpperCase().replace(/^SIG/, ""));
  if (number === undefined || number > SIGRTMAX) throw new UsageError(`kill: unknown signal "${text}"`);
  return number;
}

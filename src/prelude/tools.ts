import { ACCESS, AT, type O } from "../../ffi/constants/file.ts";
import { SIG, SIG_IGN } from "../../ffi/constants/signal.ts";
import type { Exit, Prelude, Value, Variable } from "../../ffi/prelude/prelude.ts";

/** Numbers of open(2), of the processor that the prelude is for. */
export type OpenFlags = { readonly [name in keyof typeof O]: number };

/** What the commands of the prelude are made of, beside the language. */
export interface Tools {
  readonly flags: OpenFlags;
  /** Where a word goes on behind a prefix; 0 when it begins otherwise. */
  after(word: Value, prefix: Value): Variable;
  /** Not 0 when the two texts are the same. */
  equals(word: Value, text: Value): Variable;
  /** Copies bytes, first ones first; returns the address behind the copy. */
  copy(to: Value, from: Value, count: Value): Variable;
  /** The decimal number at the cursor, which goes on behind what ends it. */
  takeNumber(): Variable;
  /** Ends with an error of this text, where the engine cannot begin from the beginning any more. ASCII. */
  fail(text: string): void;
  /** 0 when files may be made in a directory, and removed. */
  mayWrite(dirfd: Value, path: Value): Variable;
  /** A write to what nobody reads, or to a file beyond the limit of its size, fails from now on, as it does in the engine. */
  ignoreWriteSignals(): void;
  /** Where takeNumber is. */
  readonly cursor: Variable;
  /** What holds the container's lock; closed before the process is left to the engine. */
  readonly directory: Variable;
  /**
   * Leaves the process to the engine, which begins from the beginning and does everything that the prelude does, and the
   * rest: whatever is unusual, and whatever goes wrong, is its part.
   */
  giveUp: Exit["go"];
  /** Gives up when the comparison is true. */
  giveUpWhen: Exit["goWhen"];
}

/** Bytes of the kernel's sigset_t. */
const signalSetSize = 8;

/** The code of a character. */
export const code = (character = "") => character.charCodeAt(0);

const zero = code("0");

/** Records the parts that all commands use. They come first: the variables of a routine are its own for good. */
export function recordTools(p: Prelude, flags: OpenFlags): Tools {
  const [cursor, directory] = [p.variable(0), p.variable(-1)];

  const after = p.routine(2, (word: Variable, prefix: Variable) => {
    const result = p.variable(0);
    p.loop((stop) => {
      const expected = p.load(8, prefix);
      p.when(expected, "==", 0, () => {
        p.assign(result, word);
        stop();
      });
      p.when(p.load(8, word), "!=", expected, stop);
      p.increase(word, 1);
      p.increase(prefix, 1);
    });
    return result;
  });

  const equals = p.routine(2, (word: Variable, text: Variable) => {
    const rest = after(word, text);
    p.when(rest, "!=", 0, () => {
      p.when(p.load(8, rest), "!=", 0, () => p.assign(rest, 0));
    });
    return rest;
  });

  const copy = p.routine(3, (to: Variable, from: Variable, count: Variable) => {
    p.loop((stop) => {
      p.when(count, "==", 0, stop);
      p.store(8, to, p.load(8, from));
      p.increase(to, 1);
      p.increase(from, 1);
      p.increase(count, -1);
    });
    return to;
  });

  const { go: giveUp, goWhen: giveUpWhen } = p.exit(() => {
    p.when(directory, ">=", 0, () => p.call("close", directory));
    p.leave();
  });

  const takeNumber = p.routine(0, () => {
    const result = p.variable(0);
    const digit = p.sum(p.load(8, cursor), -zero);
    // What begins with no digit is nothing that bunc or the kernel has written there.
    giveUpWhen(digit, "<", 0);
    giveUpWhen(digit, ">=", 10);
    p.loop((stop) => {
      p.multiply(result, 10);
      p.increase(result, digit);
      p.increase(cursor, 1);
      p.assign(digit, p.sum(p.load(8, cursor), -zero));
      p.when(digit, "<", 0, stop);
      p.when(digit, ">=", 10, stop);
    });
    p.increase(cursor, 1);
    return result;
  });

  const fail = (text: string) => {
    const line = `bunc: ${text}\n`;
    p.call("write", 2, line, line.length);
    p.call("exit_group", 1);
  };

  const mayWrite: Tools["mayWrite"] = (dirfd, path) =>
    p.call("faccessat2", dirfd, path, ACCESS.W_OK | ACCESS.X_OK, AT.EACCESS);

  const ignoreWriteSignals = () => {
    // struct sigaction { handler; u64 flags; restorer; u64 mask; }
    const action = p.reserve(32);
    for (const [index, value] of [SIG_IGN, 0, 0, 0].entries()) p.store(64, action, value, 8 * index);
    for (const signal of [SIG.PIPE, SIG.XFSZ]) p.call("rt_sigaction", signal, action, 0, signalSetSize);
  };

  return {
    ...{ flags, after, equals, copy, takeNumber, cursor, directory },
    ...{ giveUp, giveUpWhen, fail, mayWrite, ignoreWriteSignals },
  };
}

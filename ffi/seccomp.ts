// libseccomp. Opened by whoever compiles a filter with it, so that nothing else pays for it.
import { ptr, read, word64 } from "./engine.ts";
import { SyscallError } from "./error.ts";
import { beginCall, lendText } from "./memory.ts";
import { openSharedLibrary } from "./shared-library.ts";

const word32 = "u32";
const handle = "ptr";

function openLibrary() {
  return openSharedLibrary("libseccomp.so.2", {
    // const struct scmp_version *seccomp_version(void)
    seccomp_version: { args: [], returns: handle },
    // scmp_filter_ctx seccomp_init(uint32_t def_action)
    seccomp_init: { args: [word32], returns: handle },
    // void seccomp_release(scmp_filter_ctx ctx)
    seccomp_release: { args: [handle], returns: "void" },
    // int seccomp_arch_add(scmp_filter_ctx ctx, uint32_t arch_token)
    seccomp_arch_add: { args: [handle, word32], returns: "i32" },
    // int seccomp_arch_remove(scmp_filter_ctx ctx, uint32_t arch_token)
    seccomp_arch_remove: { args: [handle, word32], returns: "i32" },
    // int seccomp_attr_set(scmp_filter_ctx ctx, enum scmp_filter_attr attr, uint32_t value)
    seccomp_attr_set: { args: [handle, word32, word32], returns: "i32" },
    // int seccomp_syscall_resolve_name(const char *name)
    seccomp_syscall_resolve_name: { args: [word64], returns: "i32" },
    // int seccomp_syscall_resolve_name_arch(uint32_t arch_token, const char *name)
    seccomp_syscall_resolve_name_arch: { args: [word32, word64], returns: "i32" },
    // int seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action, int syscall, unsigned arg_cnt,
    //   const struct scmp_arg_cmp *arg_array)
    seccomp_rule_add_array: {
      args: [handle, word32, "i32", word32, handle],
      returns: "i32",
    },
    // int seccomp_export_bpf(scmp_filter_ctx ctx, int fd)
    seccomp_export_bpf: { args: [handle, "i32"], returns: "i32" },
  });
}

let opened: ReturnType<typeof openLibrary> | undefined;

function library(): ReturnType<typeof openLibrary> {
  try {
    opened ??= openLibrary();
    return opened;
  } catch (cause) {
    throw new Error(
      "it takes libseccomp.so.2: install the package libseccomp2 (Debian, Ubuntu, openSUSE) or libseccomp (Fedora, Arch, Alpine)",
      { cause },
    );
  }
}

/** What the two look-ups return for a name that the library does not know: __NR_SCMP_ERROR. */
const unknownCall = -1;

/** SCMP_CMP_* of seccomp.h. */
export const SCMP_CMP = { NE: 1, LT: 2, LE: 3, EQ: 4, GE: 5, GT: 6, MASKED_EQ: 7 } as const;

/** A comparison in the library's form: MASKED_EQ has the mask in `a` and what to compare with in `b`. */
export interface LibraryComparison {
  readonly argument: number;
  readonly op: number;
  readonly a: bigint;
  readonly b: bigint;
}

/** The library's version, as `2.5.4`. Throws Error, naming the packages, when the library is not installed. */
export function libseccompVersion(): string {
  const address = library().seccomp_version();
  if (address === null) return "unknown";
  return [0, 4, 8].map((offset) => read.u32(address, offset)).join(".");
}

/**
 * The number of a call, for this machine's own architecture: negative when the call is known of another only.
 * undefined when no architecture has it.
 */
export function resolveCall(name: string): number | undefined {
  beginCall();
  const number = library().seccomp_syscall_resolve_name(lendText(name));
  return number === unknownCall ? undefined : number;
}

/** The number of a call for an architecture (SECCOMP_ARCH): negative when that one lacks it, undefined when all do. */
export function resolveCallFor(architecture: number, name: string): number | undefined {
  beginCall();
  const number = library().seccomp_syscall_resolve_name_arch(architecture, lendText(name));
  return number === unknownCall ? undefined : number;
}

// SCMP_FLTATR_CTL_OPTIMIZE: 2 asks for a binary tree. libseccomp 2.5.
const optimizeAttribute = 8;
const binaryTree = 2;

// struct scmp_arg_cmp { unsigned arg; enum scmp_compare op; uint64_t datum_a, datum_b; }
const comparisonSize = 24;

/** A filter being built by the library. Every failure is a SyscallError with the library's own call in it. */
export class LibseccompFilter implements Disposable {
  readonly #context: NonNullable<ReturnType<ReturnType<typeof openLibrary>["seccomp_init"]>>;
  readonly #comparisons = new DataView(new ArrayBuffer(6 * comparisonSize));

  /** @param defaultAction SECCOMP_RET_* for calls that no rule takes */
  constructor(defaultAction: number) {
    const context = library().seccomp_init(defaultAction);
    if (context === null) {
      throw new Error(`seccomp_init(0x${defaultAction.toString(16)}): libseccomp refused the default action`);
    }
    this.#context = context;
  }

  #check(result: number, call: string, rendered: () => string): void {
    if (result < 0) throw new SyscallError(call, -result, rendered());
  }

  /** Adds an architecture by its number (SECCOMP_ARCH). */
  addArchitecture(architecture: number): void {
    const result = library().seccomp_arch_add(this.#context, architecture);
    this.#check(result, "seccomp_arch_add", () => `seccomp_arch_add(0x${architecture.toString(16)})`);
  }

  /** Takes one away again; the library starts with this machine's own. */
  removeArchitecture(architecture: number): void {
    const result = library().seccomp_arch_remove(this.#context, architecture);
    this.#check(result, "seccomp_arch_remove", () => `seccomp_arch_remove(0x${architecture.toString(16)})`);
  }

  /** Asks for a binary tree instead of a chain. False when the library is too old for it. */
  useBinaryTree(): boolean {
    return library().seccomp_attr_set(this.#context, optimizeAttribute, binaryTree) === 0;
  }

  /**
   * Adds a rule.
   * @param name the call's, for errors
   * @param number from resolveCall
   * @param comparisons all must hold; at most one an argument
   */
  addRule(action: number, name: string, number: number, comparisons: readonly LibraryComparison[]): void {
    const view = this.#comparisons;
    let at = 0;
    for (const { argument, op, a, b } of comparisons) {
      view.setUint32(at, argument, true);
      view.setUint32(at + 4, op, true);
      view.setBigUint64(at + 8, a, true);
      view.setBigUint64(at + 16, b, true);
      at += comparisonSize;
    }
    const array = comparisons.length === 0 ? null : ptr(view);
    const count = comparisons.length;
    const result = library().seccomp_rule_add_array(this.#context, action, number, count, array);
    this.#check(
      result,
      "seccomp_rule_add_array",
      () => `seccomp_rule_add_array(0x${action.toString(16)}, ${name}, ${count} conditions)`,
    );
  }

  /** Writes the filter to a descriptor, as an array of struct sock_filter. */
  exportTo(fd: number): void {
    const result = library().seccomp_export_bpf(this.#context, fd);
    this.#check(result, "seccomp_export_bpf", () => `seccomp_export_bpf(${fd})`);
  }

  [Symbol.dispose](): void {
    library().seccomp_release(this.#context);
  }
}

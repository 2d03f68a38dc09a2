/** runtime-spec, config.md, "POSIX-platform Hooks". */
import type * as v from "valibot";
import { chapter, list, object, once, optional, text, texts, whole } from "./values.ts";

export const hookSchema = once(() =>
  object({
    path: text("an absolute path"),
    args: optional(texts()),
    env: optional(texts()),
    timeout: optional(whole(1, Number.MAX_SAFE_INTEGER, "a number of seconds, 1 or more")),
  }),
);

export const hooksSchema = once(() => {
  const hooks = chapter(() => list(hookSchema()));
  return object({
    prestart: hooks,
    createRuntime: hooks,
    createContainer: hooks,
    startContainer: hooks,
    poststart: hooks,
    poststop: hooks,
  });
});

/** `timeout` is in seconds. */
export type Hook = v.InferOutput<ReturnType<typeof hookSchema>>;
export type Hooks = v.InferOutput<ReturnType<typeof hooksSchema>>;

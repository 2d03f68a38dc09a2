/**
 * What is wrong with a container's state: "missing" it is not there, "exists" it is there already, "damaged" its record
 * cannot be read, "conflict" its status does not allow what was asked, "invalid" its id or the state root is not one.
 */
export type StateProblem = "missing" | "exists" | "damaged" | "conflict" | "invalid";

/** A container, or the place where containers are recorded, is not in the state that an operation needs. */
export class StateError extends Error {
  override readonly name = "StateError";

  /**
   * @param problem for code that goes on from it, `delete --force` from "missing"
   * @param message one line for a person; callers match some of them, see the tests
   */
  constructor(
    readonly problem: StateProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

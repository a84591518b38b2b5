/**
 * Assertions: what our own code believes. A failing one is a defect of Tidemark, never of its user.
 *
 * They stay on in production: a process that no longer believes itself must stop before it commits.
 */

/** Thrown when Tidemark's own code finds itself wrong. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(`Tidemark found itself in a state that it believes impossible: ${message}`)
    this.name = "AssertionError"
  }
}

/** Throws unless `condition` holds. `message` says what was believed, in words. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the end of an exhaustive `switch`. */
export function unreachable(value: never, what: string): never {
  throw new AssertionError(`${what} has the unexpected value ${String(value)}`)
}

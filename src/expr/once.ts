/** What is made when it is first asked for, and never again. */

/** Calls `make` at the first call, and gives what it gave. */
export function once<T>(make: () => T): () => T {
  let made: readonly [T] | undefined
  return () => {
    made ??= [make()]
    return made[0]
  }
}

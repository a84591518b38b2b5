/** Handlers work at once: what they give is looked at for promises. */

/** Whether a handler has given a promise. Whatever becomes of it, nobody waits for it. */
export function isAsynchronous(given: unknown): boolean {
  if (!isThenable(given)) return false
  given.then(undefined, () => undefined)
  return true
}

function isThenable(given: unknown): given is { then(done: undefined, failed: () => undefined): void } {
  return typeof (given as { readonly then?: unknown } | null | undefined)?.then === "function"
}

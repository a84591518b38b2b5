/** How operators take over bytes of state: what is no state of theirs is told as such, whichever of them it is. */
import type { ByteReader } from "../base/bytes.ts"
import { TidemarkError } from "../base/errors.ts"

/**
 * Lets `apply` take over changes of an operator's state; where nothing had changed there are none.
 *
 * @param apply throws RangeError, or TypeError, where the bytes are no such changes.
 * @throws TidemarkError `state-corrupt` naming the operator.
 */
export function takeChanges(operator: string, changes: ByteReader, apply: (changes: ByteReader) => void): void {
  if (changes.remaining === 0) return
  readingState(operator, () => {
    apply(changes)
    if (changes.remaining > 0) throw new RangeError(`there are ${changes.remaining} bytes too many`)
  })
}

/**
 * Reads bytes of an operator's state that it has taken over.
 *
 * @param read throws RangeError, or TypeError, where the bytes are none.
 * @throws TidemarkError `state-corrupt` naming the operator.
 */
export function readingState<T>(operator: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    throw new TidemarkError("state-corrupt", `The state of the operator ${operator} cannot be read.`, {
      hint: "Restore the directory from a backup, or start anew with --reset.",
      cause: error,
    })
  }
}

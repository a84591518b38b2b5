/** How a window that shares slices with others makes its rows of them: at once (`direct-firing.ts`), or kept up (`stacked-firing.ts`). */
import type { Emitter } from "../operator.ts"
import type { FiredWindows } from "./window-firing.ts"

/** See the head of this file. */
export interface SharedFiring {
  /** Fires the windows that end at `lastDueEnd` or earlier, and gives the end of the last; −∞ where none has records. */
  fireUntil(lastDueEnd: number, fired: FiredWindows, out: Emitter): number
  /** Slices that start earlier are not asked for any more; `floorEnd` is the end of the first window that has not fired. */
  neededFrom(floorEnd: number): number
  /** Forgets what was taken from the slices: ids of keys or codes of texts have got another meaning. */
  forget(floorEnd: number): void
  release(): void
}

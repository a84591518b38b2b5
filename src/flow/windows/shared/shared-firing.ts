/**
 * How windows that share slices with others make their rows of them, and which of them have fired: at once
 * (`direct-firing.ts`), or kept up (`stacked-firing.ts`).
 */
import type { Emitter } from "../../operator.ts"
import type { Slices } from "../kernels/slices.ts"

/** Those of one query. */
export interface SharedFiring {
  /** The end of the first window that has not fired; −∞ before the first watermark. */
  readonly floorEnd: number
  /** Which are fired with them. */
  readonly together: FiredTogether
  /** Takes note of who takes the rows. */
  bind(out: Emitter): void
  release(): void
}

/** Windows of one or more queries that are fired together. */
export interface FiredTogether {
  /** The end of the first window that has not fired; −∞ before the first watermark. */
  readonly floorEnd: number
  /** Slices that start earlier are not asked for any more. */
  readonly neededFrom: number
  /** Fires the windows that are due at `watermark`, takes note of it as `pass` does, and gives the end of the first that is not. */
  fireDue(watermark: number): number
  /** Fires all windows with records, and gives the end of the last; −∞ where none has any. */
  fireAll(): number
  /** Takes note that all windows have fired that end at `watermark` + 1 or earlier. */
  pass(watermark: number): void
  /** Forgets what was taken from the slices: ids of keys or codes of texts have got another meaning. */
  forget(): void
}

/** The end of the first window that ends behind `watermark` + 1, where it was `floorEnd` before. */
export function floorEndBehind(watermark: number, floorEnd: number, slices: Slices): number {
  const isThere = floorEnd > watermark + 1 && floorEnd - slices.slide <= watermark + 1
  if (isThere) return floorEnd
  return watermark === -Infinity ? -Infinity : slices.firstWindowEndBehind(watermark + 1)
}

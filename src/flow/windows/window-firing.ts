/**
 * The firing half of windows: when the watermark passes a window's end, a kernel turns to that window and stores its rows.
 * Where the pieces come from is not asked here: a window is fed with records (`window-aggregate.ts`), one that shares
 * slices with others with entries of those (`window-feed.ts`).
 *
 * Invariants (rules of docs/spec/windows.md):
 * - W3 A window fires once, when the watermark is at least its end − 1.
 * - W4 Windows fire in ascending order of their ends; the order of keys within one depends on its records alone.
 */
import type { Emitter } from "../operator.ts"
import { joinPieces } from "./joined-pieces.ts"
import type { Slices } from "./kernels/slices.ts"
import type { WindowFunctions } from "./kernels/window-code.ts"
import { CONTROL, PIECE } from "./kernels/window-control.ts"
import { FEW_KEYS } from "./keys/few-keys.ts"
import type { WindowKeys } from "./keys/window-keys.ts"
import type { WindowMemory } from "./window-memory.ts"
import type { WindowPieces } from "./window-pieces.ts"
import type { WindowResults } from "./window-results.ts"

/** Which windows have fired. */
export interface FiredWindows {
  /** The end of the first window that has not fired; −∞ before the first. */
  readonly floorEnd: number
  /** Takes note that the window that ends at `end` has fired. */
  passWindow(end: number): void
}

/** What windows fire with. */
export interface WindowFiringParts {
  readonly slices: Slices
  readonly memory: WindowMemory
  readonly pieces: WindowPieces
  readonly code: WindowFunctions
  readonly results: WindowResults
}

/** See the head of this file. */
export class WindowFiring {
  readonly #parts: WindowFiringParts
  #shared: "lists" | "few" = "lists"

  constructor(parts: WindowFiringParts) {
    this.#parts = parts
  }

  /** Fires the windows that end at `lastDueEnd` or earlier, of which there are some, and gives the end of the last. */
  fireUntil(lastDueEnd: number, fired: FiredWindows, keys: WindowKeys, out: Emitter): number {
    const { slices, pieces, results } = this.#parts
    results.bindKeys(keys)
    let lastEnd = -Infinity
    for (;;) {
      if (!pieces.areJoining && slices.areOverlapping) {
        lastEnd = Math.max(lastEnd, this.#fireTogether(lastDueEnd, fired, keys.size, out))
      }
      const end = pieces.nextEnd(fired.floorEnd)
      if (end > lastDueEnd || end === Infinity) break
      this.#share("lists", fired)
      this.#fire(end, out)
      fired.passWindow(end)
      lastEnd = end
    }
    results.flush(out)
    return lastEnd
  }

  /** Fires windows whose rows fit the result's columns at once, and gives the end of the last; −∞ where none has. */
  #fireTogether(lastDueEnd: number, fired: FiredWindows, keyCount: number, out: Emitter): number {
    const { slices, memory, code, results } = this.#parts
    const { length } = results
    const room = results.roomFor(keyCount)
    // Moments beyond the ends of time have no windows.
    const floorEnd = Math.max(fired.floorEnd, -Number.MAX_SAFE_INTEGER)
    memory.floorEnd = floorEnd
    const { fireFew } = code
    const isFew = fireFew !== undefined && keyCount <= FEW_KEYS
    this.#share(isFew ? "few" : "lists", fired)
    const count = isFew
      ? fireFew(memory.controlAddress, keyCount, lastDueEnd, length, length + room)
      : code.fireDue(memory.controlAddress, lastDueEnd, length, length + room)
    const lastEnd = memory.floorEnd - slices.slide
    // It also moves on where the window that comes next was found not to fit.
    if (memory.floorEnd > floorEnd) fired.passWindow(lastEnd)
    results.append(count, out)
    return count === 0 ? -Infinity : lastEnd
  }

  /** Takes note of how kernels keep what windows share; where that is another way than before, it is found anew. */
  #share(how: "lists" | "few", { floorEnd }: FiredWindows): void {
    if (how === this.#shared) return
    const { pieces, memory, code } = this.#parts
    this.#shared = how
    // Pieces that have left must not seem to wait for a window.
    pieces.drop(floorEnd)
    code.reset(memory.controlAddress)
  }

  #fire(end: number, out: Emitter): void {
    const { slices, memory, pieces, code, results } = this.#parts
    const { controlAddress } = memory
    joinPieces(end, pieces, memory, code)
    if (!slices.areOverlapping) {
      this.#fireOnlyPiece(end, out)
      return
    }
    code.advance(controlAddress, end)
    memory.set(CONTROL.position, 0)
    const total = memory.get(CONTROL.oldLength) + memory.get(CONTROL.newLength)
    while (memory.get(CONTROL.position) < total) {
      const room = results.roomFor(total - memory.get(CONTROL.position))
      const count = code.emit(controlAddress, results.length, room, end)
      results.append(count, out)
    }
  }

  /** Fires a window that is one slice. */
  #fireOnlyPiece(end: number, out: Emitter): void {
    const { memory, code, results } = this.#parts
    const head = memory.get(CONTROL.head)
    const size = memory.pieces.get(head, PIECE.size)
    let from = memory.pieces.get(head, PIECE.from)
    for (let left = size; left > 0;) {
      const room = Math.min(left, results.roomFor(left))
      code.emitEntries(memory.controlAddress, results.length, room, end, from)
      results.append(room, out)
      from += room
      left -= room
    }
    for (const field of [CONTROL.head, CONTROL.sealed, CONTROL.edge]) memory.set(field, head + 1)
  }
}

/** What happens to what windows share when pieces join that were late for some of their windows. */
import type { WindowFunctions } from "./kernels/window-code.ts"
import { PIECE } from "./kernels/window-control.ts"
import type { WindowMemory } from "./window-memory.ts"
import type { WindowPieces } from "./window-pieces.ts"

/** So many keys of a piece are found anew by themselves; for more, all are at once. */
const REPAIRED_MAX = 16

/** Takes in the pieces that count from the window on that ends at `end`. */
export function joinPieces(end: number, pieces: WindowPieces, memory: WindowMemory, code: WindowFunctions): void {
  const { controlAddress } = memory
  for (const { list, index } of pieces.join(end)) {
    const isSmall = list.get(index, PIECE.size) <= REPAIRED_MAX
    if (isSmall && code.repair(controlAddress, list.recordAddress(index)) === 1) continue
    code.reset(controlAddress)
    return
  }
}

/** What operators have written, as a log keeps it: epochs, and slices in between, which take the place of what was before when they are all there. */
import { ByteReader, ByteWriter } from "../base/bytes.ts"
import type { OperatorState, StateSlices } from "./operator.ts"

/** A snapshot that is under way: what is left, what was written, and the epochs since it was begun. */
interface UnderWay {
  readonly left: Map<string, StateSlices>
  readonly slices: Map<string, Uint8Array[]>
  readonly behind: Map<string, Uint8Array[]>
}

/** See the head of this file. */
export class WrittenStates {
  #written = new Map<string, Uint8Array[]>()
  #underWay: UnderWay | undefined
  /** How often slices took the place of epochs. */
  snapshots = 0

  /** Whether slices are left. */
  get areSlicesLeft(): boolean {
    return this.#underWay !== undefined && this.#underWay.left.size > 0
  }

  /** Ends an epoch, and gives how many bytes it wrote. */
  writeEpoch(states: readonly OperatorState[]): number {
    let bytes = 0
    for (const state of states) {
      const out = new ByteWriter()
      state.writeChanges(out)
      bytes += out.length
      const changes = out.finish()
      push(this.#written, state.id, changes)
      if (this.#underWay !== undefined) push(this.#underWay.behind, state.id, changes)
    }
    if (this.#underWay?.left.size === 0) this.#endSlices(this.#underWay)
    return bytes
  }

  /** To be called right behind `writeEpoch`: lets slices follow of all states. */
  beginSlices(states: readonly OperatorState[]): void {
    const underWay: UnderWay = { left: new Map(), slices: new Map(), behind: new Map() }
    for (const state of states) {
      const slices = state.beginSlices?.()
      if (slices === undefined) push(underWay.slices, state.id, allOf(state))
      else underWay.left.set(state.id, slices)
    }
    this.#underWay = underWay
  }

  /** Writes a slice of one state. */
  writeSlice(bytes: number): void {
    const { left, slices } = this.#underWay!
    const [id, state] = [...left][0]!
    const out = new ByteWriter()
    if (!state.next(out, bytes)) left.delete(id)
    push(slices, id, out.finish())
  }

  #endSlices({ slices, behind }: UnderWay): void {
    for (const [id, epochs] of behind) for (const changes of epochs) push(slices, id, changes)
    this.#written = slices
    this.#underWay = undefined
    this.snapshots++
  }

  /** Lets everything, as it is now, take the place of all that was written. To be called right behind `writeEpoch`. */
  replace(everything: ReadonlyMap<string, Uint8Array>): void {
    for (const [id, bytes] of everything) this.#written.set(id, [bytes])
    this.#underWay = undefined
  }

  /** Gives others what was written. A snapshot that is not whole counts for nothing. */
  restore(states: readonly OperatorState[]): void {
    this.#underWay = undefined
    for (const state of states) {
      for (const changes of this.#written.get(state.id) ?? []) state.applyChanges(new ByteReader(changes))
      state.endChanges?.()
    }
  }
}

/** A state as changes of an empty one. */
export function allOf(state: OperatorState): Uint8Array {
  const out = new ByteWriter()
  state.writeAll(out)
  return out.finish()
}

function push(lists: Map<string, Uint8Array[]>, id: string, bytes: Uint8Array): void {
  lists.set(id, [...(lists.get(id) ?? []), bytes])
}

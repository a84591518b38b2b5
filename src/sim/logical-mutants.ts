/**
 * Logical mutants: mistakes that somebody might make, each as a change of a method of the real engine. `mutation.ts` has those of single
 * calls of the disk. `npm run sim -- --logical` plants each by itself and looks for a seed that finds it.
 */
import { ByteWriter } from "../base/bytes.ts"
import type { ScenarioKind } from "./runner.ts"
import type { KeyState } from "../flow/process/key-state.ts"
import { KeyedStates } from "../flow/process/keyed-states.ts"
import { PackedKeys } from "../flow/process/packed-keys.ts"
import { Outputs } from "../runtime/outputs.ts"
import { EpochStore } from "../state/epoch-store.ts"
import { RecoveryFold, type RecoveredState } from "../state/recovery-fold.ts"

/** A mistake. */
export interface LogicalMutant {
  /** What the job does, as a predicate: "restores a position one byte too far". */
  readonly name: string
  /** The scenarios that must find it. */
  readonly scenario: ScenarioKind
  /** What their findings say. */
  readonly says: RegExp
  /** Makes the mistake; gives what takes it back. */
  readonly plant: () => () => void
}

/** Puts another method in the place of one of a class; gives what takes it back. */
export function replaceMethod<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = prototype[name]
  prototype[name] = make(original)
  return () => {
    prototype[name] = original
  }
}

/** Sinks are told to apply what they have staged at once, before the commit record; gives what takes that back. */
export function applyWhenStaged(): () => void {
  return replaceMethod(
    Outputs.prototype,
    "stage",
    (stage) =>
      async function (this: Outputs, final, progressOf) {
        const staged = await stage.call(this, final, progressOf)
        await this.apply(staged)
        return staged
      },
  )
}

/** The mistakes that jobs over files show. */
export const FILE_MUTANTS: readonly LogicalMutant[] = [
  {
    name: "publishes before the commit record is durable",
    scenario: "files",
    says: /sink-occupied|repeats|nobody expects/,
    plant: applyWhenStaged,
  },
  {
    name: "does not apply again what was staged",
    scenario: "files",
    says: /sink-|lacks/,
    plant: () =>
      recoverWrongly(({ outputs }) => ({ outputs: mapped(outputs, (output) => ({ ...output, staged: [] })) })),
  },
  {
    name: "restores the number of a record one too low",
    scenario: "files",
    says: /nobody expects/,
    plant: () => recoverWrongly(movedPartitions(({ ordinal }) => ({ ordinal: ordinal - 1 }))),
  },
  {
    name: "restores a position one byte too far",
    scenario: "files",
    says: /source-changed|lacks|nobody expects/,
    plant: () => recoverWrongly(movedPartitions(({ offset }) => ({ offset: offset + 1 }))),
  },
  {
    name: "forgets now and then how far it has read",
    scenario: "files",
    says: /rowsIn|repeats/,
    plant: () =>
      replaceMethod(
        EpochStore.prototype,
        "commit",
        (commit) =>
          async function (this: EpochStore, record) {
            const partitions = record.partitions.filter(({ ended }) => ended || record.epoch % 2 === 1)
            await commit.call(this, { ...record, partitions })
          },
      ),
  },
  {
    name: "forgets what the last epoch has changed in its windows",
    scenario: "files",
    says: /watermark|lacks|repeats|nobody expects|rows come from open partitions/,
    plant: () =>
      recoverWrongly(({ operators }) => ({ operators: mapped(operators, (changes) => changes.slice(0, -1)) })),
  },
  {
    name: "begins to count anew when it recovers",
    scenario: "files",
    says: /the counter rows/,
    plant: () => recoverWrongly(() => ({ counters: new Map() })),
  },
  {
    name: "forgets slices of snapshots",
    scenario: "files",
    says: /lacks|repeats|nobody expects|watermark|state-corrupt/,
    plant: forgetSlices,
  },
  {
    name: "writes a key no more in an epoch in which it was written early",
    scenario: "files",
    says: /lacks|repeats|nobody expects|a timer without its row/,
    plant: writeOnceAnEpoch,
  },
  {
    name: "forgets what has changed of a key when it is packed, while others are spilled",
    scenario: "files",
    says: /lacks|repeats|nobody expects|a timer without its row|state-corrupt/,
    plant: () =>
      replaceMethod(
        PackedKeys.prototype,
        "pack",
        (pack) =>
          function (this: PackedKeys, row, record, timers) {
            const before = new ByteWriter()
            this.writeRecord(before, row)
            pack.call(this, row, this.coldBytes > 0 ? before.view() : record, timers)
          },
      ),
  },
  {
    name: "leaves a part unpublished when it has finished",
    scenario: "files",
    says: /lacks/,
    plant: () =>
      replaceMethod(
        Outputs.prototype,
        "stage",
        (stage) =>
          function (this: Outputs, _final, progressOf) {
            return stage.call(this, false, progressOf)
          },
      ),
  },
  {
    name: "says that it has finished where the last part could not be published",
    scenario: "files",
    says: /^sink\.\S+ failed, and the process went on as if it had not$/m,
    plant: () =>
      replaceMethod(
        Outputs.prototype,
        "apply",
        (apply) =>
          function (this: Outputs, staged) {
            return apply.call(this, staged).catch(() => undefined)
          },
      ),
  },
  {
    name: "does not write down that it was reset",
    scenario: "files",
    says: /epoch \d+ was recovered|epoch \d+ was committed|sink-/,
    plant: () =>
      replaceMethod(
        EpochStore.prototype,
        "begin",
        (begin) =>
          function (this: EpochStore, run) {
            return begin.call(this, run, false)
          },
      ),
  },
]

/** Where nothing is written early this is no mistake: a key that has changed is written at the cut as it is then. */
function writeOnceAnEpoch(): () => void {
  const seen = new WeakMap<KeyedStates, Set<KeyState>>()
  const takeBack = replaceMethod(
    KeyedStates.prototype,
    "writeChanges",
    (writeChanges) =>
      function (this: KeyedStates, out) {
        seen.delete(this)
        writeChanges.call(this, out)
      },
  )
  const takeBackToo = replaceMethod(
    KeyedStates.prototype,
    "settle",
    (settle) =>
      function (this: KeyedStates, state, hasChanged) {
        const changed = seen.get(this) ?? new Set()
        settle.call(this, state, hasChanged && !changed.has(state))
        if (hasChanged) seen.set(this, changed.add(state))
      },
  )
  return () => {
    takeBackToo()
    takeBack()
  }
}

function forgetSlices(): () => void {
  let slices = 0
  return replaceMethod(
    EpochStore.prototype,
    "appendSlice",
    (appendSlice) =>
      async function (this: EpochStore, id, changes) {
        if (++slices % 2 === 1) await appendSlice.call(this, id, changes)
      },
  )
}

function recoverWrongly(change: (recovered: RecoveredState) => Partial<RecoveredState>): () => void {
  return replaceMethod(
    RecoveryFold.prototype,
    "state",
    (state) =>
      function (this: RecoveryFold) {
        const recovered = state.call(this)
        return { ...recovered, ...change(recovered) }
      },
  )
}

type Progress = RecoveredState["partitions"] extends ReadonlyMap<number, infer P> ? P : never

function movedPartitions(change: (progress: Progress) => Partial<Progress>) {
  return ({ partitions }: RecoveredState): Partial<RecoveredState> => ({
    partitions: mapped(partitions, (progress) =>
      progress.ended || progress.offset === 0 ? progress : { ...progress, ...change(progress) },
    ),
  })
}

function mapped<K, V>(map: ReadonlyMap<K, V>, change: (value: V) => V): ReadonlyMap<K, V> {
  return new Map([...map].map(([key, value]) => [key, change(value)]))
}

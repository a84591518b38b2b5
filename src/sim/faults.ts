/**
 * Faults: which disk call goes wrong, and how.
 *
 * A fault is named by its step and by how often that step has been called in the world, so that a list of faults can be
 * written down, replayed and made shorter. `RandomFaults` draws such faults; `ListedFaults` replays them.
 *
 * Invariant:
 * - J1 `ListedFaults` of the faults that struck a run strikes the same calls of the same program again.
 */
import type { Prng } from "../base/prng.ts"
import type { StepName } from "../env/env.ts"

/** The kinds of calls that a disk gets, and those that go to a server. */
export type DiskOperation =
  | "open"
  | "create"
  | "read"
  | "write"
  | "sync"
  | "truncate"
  | "size"
  | "close"
  | "stat"
  | "list"
  | "make directory"
  | "rename"
  | "remove"
  | "sync directory"
  | "lock"
  | "database"
  | "network"

/** What can go wrong with a call. */
export type FaultKind =
  /** It fails with EIO; it may have been done, or done in part. */
  | "eio"
  /** It fails with ENOSPC; a write may have been done in part. */
  | "enospc"
  /** It takes very long. */
  | "stall"
  /** The machine crashes before the call has any effect, or while a write is half done. */
  | "crash-before"
  /** The machine crashes when the call is done and its caller has not heard of it. */
  | "crash-after"
  /** The process is killed before the call has any effect, or while a write is half done. */
  | "kill-before"
  /** The process is killed when the call is done and it has not heard of it. */
  | "kill-after"

/** Every kind of fault, in the order in which tables show them. */
export const FAULT_KINDS: readonly FaultKind[] = [
  "eio",
  "enospc",
  "stall",
  "crash-before",
  "crash-after",
  "kill-before",
  "kill-after",
]

/** A call about to be made. */
export interface DiskCall {
  readonly step: StepName
  readonly operation: DiskOperation
  /** How many calls of this step were made before in this world. */
  readonly occurrence: number
}

/** A fault, by the call that it strikes. */
export interface Fault {
  readonly step: StepName
  readonly occurrence: number
  readonly kind: FaultKind
}

/** Whether a fault is more than a delay. */
export function isWeighty(fault: { readonly kind: FaultKind }): boolean {
  return fault.kind !== "stall"
}

/** Decides which calls are struck. */
export interface FaultPlan {
  strike(call: DiskCall): FaultKind | undefined
}

/** Nothing goes wrong. */
export const NO_FAULTS: FaultPlan = { strike: () => undefined }

const CAN_FILL: ReadonlySet<DiskOperation> = new Set([
  "create",
  "write",
  "sync",
  "truncate",
  "make directory",
  "rename",
  "sync directory",
])

/** The faults that a kind of call can have. Closing a file and taking a lock fail only with their process. */
export function faultKindsOf(operation: DiskOperation): readonly FaultKind[] {
  if (operation === "close" || operation === "lock") return FAULT_KINDS.slice(2)
  return FAULT_KINDS.filter((kind) => kind !== "enospc" || CAN_FILL.has(operation))
}

/** A step that is called for the first time behind so many calls of others is one that few runs come to. */
const LATE_CALLS = 300
/** Such a call is struck so much more often, at most so many times in a run. */
const LATE_FACTOR = 6
const LATE_MAX = 3

/**
 * Random faults. A step's first calls are struck more often than its later ones, so that steps that are rare in a run
 * get as many faults as those that are frequent, and a job that is restarted often enough comes to its end. A step that
 * few runs come to is struck more often when one does.
 */
export class RandomFaults implements FaultPlan {
  readonly #prng: Prng
  readonly #intensity: number
  #left: number
  #calls = 0
  #lateLeft = LATE_MAX

  /**
   * @param options.intensity the chance that the first call of a step is struck.
   * @param options.max how many faults there may be, without those of late first calls.
   */
  constructor(prng: Prng, options: { intensity: number; max: number }) {
    this.#prng = prng
    this.#intensity = options.intensity
    this.#left = options.max
  }

  strike(call: DiskCall): FaultKind | undefined {
    const isLate = this.#calls++ >= LATE_CALLS && call.occurrence === 0 && this.#lateLeft > 0
    if (this.#left === 0 && !isLate) return undefined
    // Two numbers for each call, struck or not: a fault does not change where the next one falls.
    const isStruck = this.#prng.float() < (this.#intensity * (isLate ? LATE_FACTOR : 1)) / (1 + call.occurrence)
    const choice = this.#prng.float()
    if (!isStruck) return undefined
    if (isLate) this.#lateLeft--
    else this.#left--
    const kinds = faultKindsOf(call.operation)
    return kinds[Math.floor(choice * kinds.length)]!
  }
}

/** The faults of a list. */
export class ListedFaults implements FaultPlan {
  readonly #faults: ReadonlyMap<string, FaultKind>

  constructor(faults: readonly Fault[]) {
    this.#faults = new Map(faults.map(({ step, occurrence, kind }) => [`${step} ${occurrence}`, kind]))
  }

  strike(call: DiskCall): FaultKind | undefined {
    return this.#faults.get(`${call.step} ${call.occurrence}`)
  }
}

/** A step's row of the matrix, as plain data. */
export interface StepCounts {
  readonly step: StepName
  readonly operation: DiskOperation
  calls: number
  /** How often each kind of fault has struck. */
  readonly faults: Partial<Record<FaultKind, number>>
}

/** How often each kind of fault has struck each step. */
export class FaultMatrix {
  readonly #rows = new Map<StepName, StepCounts>()

  /** The rows, sorted by step. */
  get rows(): StepCounts[] {
    return [...this.#rows.values()].sort((a, b) => (a.step < b.step ? -1 : 1))
  }

  /** Counts a call of a step. */
  countCall(step: StepName, operation: DiskOperation): void {
    this.#row(step, operation).calls++
  }

  /** Counts a fault. */
  countFault(step: StepName, operation: DiskOperation, kind: FaultKind): void {
    const { faults } = this.#row(step, operation)
    faults[kind] = (faults[kind] ?? 0) + 1
  }

  /** Adds the counts of another matrix. */
  add(rows: readonly StepCounts[]): void {
    for (const { step, operation, calls, faults } of rows) {
      const own = this.#row(step, operation)
      own.calls += calls
      for (const kind of FAULT_KINDS) {
        const count = faults[kind]
        if (count !== undefined) own.faults[kind] = (own.faults[kind] ?? 0) + count
      }
    }
  }

  /** How often a kind of fault has struck a step. */
  count(step: StepName, kind: FaultKind): number {
    return this.#rows.get(step)?.faults[kind] ?? 0
  }

  /** The matrix as text: a line a step, a column a kind of fault, `-` where a kind cannot strike the step. */
  format(): string {
    const { rows } = this
    const width = Math.max(4, ...rows.map(({ step }) => step.length))
    const lines = ["step".padEnd(width) + ["calls", ...FAULT_KINDS].map((name) => name.padStart(13)).join("")]
    for (const { step, operation, calls, faults } of rows) {
      const possible = faultKindsOf(operation)
      const cells = FAULT_KINDS.map((kind) => (possible.includes(kind) ? String(faults[kind] ?? 0) : "-"))
      lines.push(step.padEnd(width) + [String(calls), ...cells].map((cell) => cell.padStart(13)).join(""))
    }
    return lines.join("\n")
  }

  /** What is missing in the matrix: of some steps, those never called, and the kinds of faults that never struck the rest. */
  gaps(steps: readonly StepName[]): string[] {
    const uncalled = steps.filter((step) => !this.#rows.has(step)).map((step) => `${step}: never called`)
    const unstruck = this.rows.flatMap(({ step, operation, faults }) => {
      const kinds = faultKindsOf(operation).filter((kind) => faults[kind] === undefined)
      return kinds.length === 0 || !steps.includes(step) ? [] : [`${step}: never ${kinds.join(", ")}`]
    })
    return [...uncalled, ...unstruck]
  }

  #row(step: StepName, operation: DiskOperation): StepCounts {
    let row = this.#rows.get(step)
    if (row === undefined) this.#rows.set(step, (row = { step, operation, calls: 0, faults: {} }))
    return row
  }
}

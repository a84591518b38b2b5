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

/** The kinds of calls that a disk gets. */
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

/**
 * Random faults. A step's first calls are struck more often than its later ones, so that steps that are rare in a run
 * get as many faults as those that are frequent, and a job that is restarted often enough comes to its end.
 */
export class RandomFaults implements FaultPlan {
  readonly #prng: Prng
  readonly #intensity: number
  #left: number

  /**
   * @param options.intensity the chance that the first call of a step is struck.
   * @param options.max how many faults there may be.
   */
  constructor(prng: Prng, options: { intensity: number; max: number }) {
    this.#prng = prng
    this.#intensity = options.intensity
    this.#left = options.max
  }

  strike(call: DiskCall): FaultKind | undefined {
    if (this.#left === 0) return undefined
    // Two numbers for each call, struck or not: a fault does not change where the next one falls.
    const isStruck = this.#prng.float() < this.#intensity / (1 + call.occurrence)
    const choice = this.#prng.float()
    if (!isStruck) return undefined
    this.#left--
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

/** How often each kind of fault has struck each step. */
export class FaultMatrix {
  readonly #counts = new Map<StepName, Map<FaultKind | "calls", number>>()

  /** Counts a call of a step. */
  countCall(step: StepName): void {
    this.#add(step, "calls", 1)
  }

  /** Counts a fault. */
  countFault(step: StepName, kind: FaultKind): void {
    this.#add(step, kind, 1)
  }

  /** Adds the counts of another matrix. */
  addAll(other: FaultMatrix): void {
    for (const [step, counts] of other.#counts) for (const [kind, count] of counts) this.#add(step, kind, count)
  }

  count(step: StepName, kind: FaultKind | "calls"): number {
    return this.#counts.get(step)?.get(kind) ?? 0
  }

  /** The steps seen, sorted. */
  steps(): StepName[] {
    return [...this.#counts.keys()].sort()
  }

  /** The matrix as text: a line a step, a column a kind of fault. */
  format(): string {
    const width = Math.max(4, ...this.steps().map((step) => step.length))
    const columns = ["calls", ...FAULT_KINDS] as const
    const lines = ["step".padEnd(width) + columns.map((name) => name.padStart(14)).join("")]
    for (const step of this.steps()) {
      lines.push(step.padEnd(width) + columns.map((name) => String(this.count(step, name)).padStart(14)).join(""))
    }
    return lines.join("\n")
  }

  #add(step: StepName, kind: FaultKind | "calls", count: number): void {
    let counts = this.#counts.get(step)
    if (counts === undefined) this.#counts.set(step, (counts = new Map()))
    counts.set(kind, (counts.get(kind) ?? 0) + count)
  }
}

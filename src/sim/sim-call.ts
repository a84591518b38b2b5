/**
 * A call of a simulated process to its world: where it stands in the program and what it does when its time comes.
 * When that is, and what goes wrong, is decided in `sim-env.ts`.
 */
import type { Prng } from "../base/prng.ts"
import type { DiskImage } from "./disk-image.ts"
import type { DiskOperation } from "./faults.ts"

/** What a disk call does when its time comes. */
export interface CallEffect<T> {
  perform(): T
  /** What a call that fails does all the same; nothing by default. */
  fail?(prng: Prng): void
  /** What a call does that is cut off by a death; nothing by default. */
  cutOff?(prng: Prng): void
}

/** A call's place in the program. */
export interface CallSite {
  readonly operation: DiskOperation
  readonly step: string
  readonly path: string
  /** Numbers worth tracing: positions and lengths. */
  readonly detail?: string
}

/** Ends the work of a process that has died of a call that is done when it returns. Nobody outside hears of it. */
export class DeadProcessError extends Error {}

/** What a process offers to its disk. */
export interface CallingProcess {
  readonly isAlive: boolean
  readonly image: DiskImage
  /** How many files it holds open. */
  openFiles: number
  /** Makes a call; it settles when the world says so, or never. */
  call<T>(site: CallSite, effect: CallEffect<T>): Promise<T>
  /** Makes a call that is done when it returns; a process that dies of it goes no further. */
  callNow<T>(site: CallSite, effect: CallEffect<T>): T
}

/**
 * A log as a process sees it that does not hold it: it changes nothing in the directory, and takes no lock.
 *
 * How far the log is durable says the mark beside the segments, as long as a writer lives. Where none does, the newest segment is read
 * to its end; what is found there is synced before anybody is shown it, as its writer may have died before it had done so.
 *
 * Invariants:
 * - FL1 While no writer lives, everything is seen that an append has resolved for; while one does, as soon as it has set the mark.
 * - FL2 What was seen once is seen again until it is trimmed.
 */
import type { Env } from "../../env/env.ts"
import { readSegments, type LogPlace } from "../log-reader.ts"
import { chainOf, segmentNames, type ChainLink } from "../segment.ts"
import type { SegmentPlace } from "../segment-files.ts"
import { readMark, type DurableMark } from "./durable-mark.ts"
import { missingError } from "./log-errors.ts"
import type { ReadableLog, ReadableState } from "./readable-log.ts"
import { RECORD_LOG as kind, step } from "./record-log-kind.ts"
import { findEnd } from "./segment-scan.ts"
import { linkOf } from "./take-over.ts"

/** How often the mark is looked at by those who wait. */
const POLL_MICROS = 20_000
/** How often those who wait ask whether the writer still lives. */
const POLLS_PER_QUESTION = 50

/** How often a log that changes under its reader is looked at anew before what is wrong with it counts as damage. */
const ATTEMPTS = 5

/** The world, as a follower needs it. */
export interface FollowerEnv extends Pick<Env, "disk" | "timers"> {
  /** Whether a process has a directory open for writing. */
  isLocked(directory: string): Promise<boolean>
}

/** A log that another process may write. */
export class FollowedLog implements ReadableLog {
  readonly #env: FollowerEnv
  readonly #place: SegmentPlace
  /** The segments of the names that were seen last. */
  #seen: { readonly names: string; readonly chain: readonly ChainLink[] } = { names: "", chain: [] }
  /** Whether no writer lived when somebody last asked. */
  #isOrphan = true

  private constructor(env: FollowerEnv, directory: string) {
    this.#env = env
    this.#place = { disk: env.disk, directory, kind }
  }

  /**
   * Opens the log of a directory for reading.
   *
   * @param directory absolute.
   * @throws TidemarkError `log-missing` where there is none.
   */
  static async open(env: FollowerEnv, directory: string): Promise<FollowedLog> {
    const log = new FollowedLog(env, directory)
    // Only then is there a directory for sure, of which to ask.
    if (segmentNames(await env.disk.list(directory)).length === 0) throw missingError(directory)
    await log.#ask()
    await log.look()
    return log
  }

  async look(): Promise<ReadableState> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#lookOnce()
      } catch (error) {
        // A segment went while it was looked for, or the log was taken over: what is there now is looked at again.
        if (attempt === ATTEMPTS) throw error
        this.#seen = { names: "", chain: [] }
        await this.#ask()
      }
    }
  }

  async grown(since: ReadableState, signal: AbortSignal | undefined): Promise<void> {
    for (let poll = 1; signal?.aborted !== true; poll++) {
      await this.#env.timers.sleep(POLL_MICROS, signal)
      if (poll % POLLS_PER_QUESTION === 0) await this.#ask()
      const now = await this.look()
      const [before, after] = [since.links.at(-1)!, now.links.at(-1)!]
      if (before.path !== after.path || before.endOffset < after.endOffset || since.isSealed !== now.isSealed) return
    }
  }

  async #ask(): Promise<void> {
    this.#isOrphan = !(await this.#env.isLocked(this.#place.directory))
  }

  async #lookOnce(): Promise<ReadableState> {
    const { disk, directory } = this.#place
    const mark = await readMark(disk, directory)
    const names = segmentNames(await disk.list(directory))
    const text = names.map(({ name }) => name).join()
    if (text !== this.#seen.names || text === "") {
      const segments = await readSegments(this.#place, names)
      const newest = segments.at(-1)
      if (newest === undefined) throw missingError(directory)
      // A name that was taken may become that of a segment: then it is looked at again.
      const isSettled = newest.path.endsWith(`/${names.at(-1)!.name}`)
      this.#seen = { names: isSettled ? text : "", chain: chainOf(segments) }
    }
    const { chain } = this.#seen
    const { end, trimmed, isSealed } = await this.#endOf(chain, mark)
    return { links: chain.map((link) => linkOf(link, end)), trimmed, isSealed }
  }

  /** How far the newest segment may be read, and what is known there. */
  async #endOf(
    chain: readonly ChainLink[],
    mark: DurableMark | undefined,
  ): Promise<{ readonly end: number; readonly trimmed: LogPlace; readonly isSealed: boolean }> {
    const newest = chain.at(-1)!.segment
    const isMarked = mark?.durable.generation === newest.generation && mark.durable.offset >= newest.startOffset
    if (isMarked && !this.#isOrphan) return { ...mark, end: mark.durable.offset }
    const { disk } = this.#place
    const file = await disk.open(newest.path, "read", step("records.read.open"))
    if (file === undefined) throw kind.vanished(newest.path)
    try {
      const grown = { segment: { ...newest, size: await file.size() }, endOffset: undefined }
      const { endOffset, state } = await findEnd(this.#place, [...chain.slice(0, -1), grown], mark?.durable)
      // While a writer lives that has not set its mark yet, what it began the segment with is all that is known to be durable.
      if (!this.#isOrphan) return { end: newest.startOffset, trimmed: state.trimmed, isSealed: false }
      await file.sync(step("records.read.sync"))
      return { end: endOffset, trimmed: state.trimmed, isSealed: state.isSealed }
    } finally {
      await file.close()
    }
  }
}

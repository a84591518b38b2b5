/**
 * The webhook sink: rows are cut into requests when they are staged, and sent when their epoch is committed. `apply` hands them over and goes on, so the
 * job reads and commits while the receiver answers, as long as not too much is unsent.
 *
 * Few rows (up to 256 KiB) are staged in the commit record, more in a file of the state directory that is synced before `stage` returns. What is
 * acknowledged is noted in a file beside (`acknowledged-file.ts`): it may say less than is true, and then requests are sent again with their keys.
 *
 * Invariants, beside K1, K2, K4 and K5 of `connect/sink.ts` and WH1 to WH9 of `docs/spec/webhook.md`:
 * - WK1 Only requests of epochs that were handed to `apply`, or that the log has, are sent.
 * - WK2 Rows of an epoch are let go when a synced note says that all up to it is acknowledged.
 */
import { assert } from "../../../base/assert.ts"
import { ByteWriter } from "../../../base/bytes.ts"
import { counted } from "../../../base/counted.ts"
import type { Batch } from "../../../batch/batch.ts"
import type { EpochFiles } from "../../../connect/epoch-files.ts"
import { NOTHING_STAGED, type EpochMark } from "../../../connect/epoch-mark.ts"
import type { Sink, SinkContext, StageProgress } from "../../../connect/sink.ts"
import { SinkTurns } from "../../../connect/sink-turns.ts"
import { writeAcknowledged } from "./acknowledged-file.ts"
import { Dispatcher } from "./dispatcher.ts"
import type { Exchange } from "./exchange.ts"
import type { Outbox } from "./outbox.ts"
import { PendingEpoch } from "./pending-epoch.ts"
import { RequestSender } from "./request-sender.ts"
import { RequestWriter, type WrittenRequests } from "./request-writer.ts"
import type { RequestLanes } from "./request-lanes.ts"
import { decodeEpoch, encodeCheckpoint, encodeEpoch, type StagedEpoch } from "./staged-requests.ts"
import { WaitTeller } from "./wait-teller.ts"
import type { WebhookSettings } from "./webhook-options.ts"

/** An epoch of at most so many bytes travels in the commit record, which saves it a file. */
const INLINE_BYTES_MAX = 256 * 1024
/** So often what is acknowledged is noted. */
const NOTE_MICROS = 100_000
/** While something is unsent, an epoch ends after so long though nothing comes: so what the sink has failed at is heard of. */
const LISTEN_MICROS = 2_000_000

/** What it is made of. */
export interface WebhookSinkParts {
  readonly context: SinkContext
  readonly settings: WebhookSettings
  readonly exchange: Exchange
  readonly files: EpochFiles
  readonly outbox: Outbox
  readonly lanes: RequestLanes
  readonly token: string
  /** The last epoch that was staged and committed ... */
  readonly staged: EpochMark
  /** ... and whether the job had come to its end with it. */
  readonly isLast: boolean
  readonly newId: () => string
}

/** What was written since the last `stage`, but for its bodies. */
interface OpenEpoch {
  readonly index: ByteWriter
  requests: number
  bodyBytes: number
}

/** See the head of this file. */
export class WebhookSink implements Sink {
  readonly #parts: WebhookSinkParts
  readonly #writer: RequestWriter
  readonly #turns = new SinkTurns()
  readonly #notes = new SinkTurns()
  readonly #dispatcher: Dispatcher
  readonly #sender: RequestSender
  readonly #teller: WaitTeller
  readonly #closing = new AbortController()
  #open: OpenEpoch = { index: new ByteWriter(), requests: 0, bodyBytes: 0 }
  #staged: EpochMark
  /** The last that was handed to `apply`. */
  #applied: EpochMark
  #isLast: boolean
  /** Whether what was staged last is to be sent before `apply` returns. */
  #isFinal = false
  #failure: { readonly error: unknown } | undefined
  readonly #waiters = new Set<() => void>()
  #isNoteDue = false
  /** What notes while there is news. */
  #noting: Promise<void> | undefined

  constructor(parts: WebhookSinkParts) {
    const { context, settings, outbox, files, token, lanes } = parts
    this.#parts = parts
    this.#writer = new RequestWriter(context, settings.shape, lanes)
    this.#staged = this.#applied = parts.staged
    this.#isLast = parts.isLast
    this.#teller = new WaitTeller(context)
    const sender = new RequestSender({ context, settings, files, token, exchange: parts.exchange })
    this.#sender = sender
    this.#dispatcher = new Dispatcher({
      outbox,
      policy: settings.policy,
      env: context.env,
      send: (request, signal) => sender.send(request, signal),
      setAside: (request, reason) => sender.setAside(request, reason),
      misdirected: (reason) => sender.misdirected(reason),
      onProgress: () => this.#onProgress(),
      onFailure: (error) => this.#fail(error),
    })
  }

  get bufferedBytes(): number {
    return this.#writer.heldBytes
  }

  get waitsFor(): string | undefined {
    return this.#dispatcher.waitsFor
  }

  untilDue(): number {
    if (this.#failure !== undefined) return 0
    return this.#parts.outbox.isEmpty ? Infinity : LISTEN_MICROS
  }

  write(batch: Batch): void {
    assert(!this.#isClosed, "a closed sink is not written to")
    this.#writer.write(batch)
  }

  flush(): Promise<void> {
    const { bodies } = this.#take()
    return this.#inTurn(async () => {
      if (bodies.length > 0) await this.#parts.files.append(this.#staged.sequence + 1, bodies, "flush")
    })
  }

  stage(final: boolean, progress?: StageProgress): Promise<Uint8Array> {
    this.#isFinal = final
    const { bodies } = this.#take()
    const open = this.#open
    this.#open = { index: new ByteWriter(), requests: 0, bodyBytes: 0 }
    const isLast = progress?.isFinished === true
    return this.#inTurn(async () => {
      if (open.requests === 0 && isLast === this.#isLast) return NOTHING_STAGED
      return await this.#stage(open, bodies, isLast)
    })
  }

  async apply(staged: Uint8Array): Promise<void> {
    await this.#inTurn(() => this.#handOver(staged))
    const { settings, outbox } = this.#parts
    if (!this.#isFinal) return await this.#until(settings.unsentRowsMax, settings.unsentBytesMax)
    // Nobody else would send it.
    await this.#until(0, 0)
    if (!outbox.isEmpty) this.#tellLeft()
  }

  checkpoint(): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const { outbox, files, token, context } = this.#parts
      const { done } = outbox
      const pending = outbox.epochs.map((epoch) => epoch.staged)
      await this.#note()
      await context.env.disk.syncDirectory(files.directory, "sink.webhook.checkpoint.sync-directory")
      await files.removeUpTo(done.sequence)
      return encodeCheckpoint({ token, staged: this.#applied, isLast: this.#isLast, pending })
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#closing.abort()
    await this.#dispatcher.close()
    await this.#turns.settled()
    try {
      await this.#noting
      if (this.#failure === undefined && this.#isNoteDue) await this.#note()
    } finally {
      await this.#notes.settled()
      await this.#sender.close()
      await this.#parts.files.close()
    }
    // Nobody may have asked since.
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Begins to send what is left of the runs before; where the job has come to its end before, it waits for that. */
  async begin(): Promise<void> {
    const { stopping } = this.#parts.context
    const stop = (): void => this.#dispatcher.stop()
    stopping?.addEventListener("abort", stop)
    this.#closing.signal.addEventListener("abort", () => stopping?.removeEventListener("abort", stop))
    await this.#sender.begin()
    this.#dispatcher.pump()
    if (stopping?.aborted === true) stop()
    if (this.#isLast) await this.#until(0, 0)
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    assert(!this.#isClosed, "a closed sink does nothing")
    return this.#turns.take(task)
  }

  #take(): WrittenRequests {
    const taken = this.#writer.take()
    this.#open.index.raw(taken.index)
    this.#open.requests += taken.count
    this.#open.bodyBytes += taken.bodies.length
    return taken
  }

  async #stage({ index, requests, bodyBytes }: OpenEpoch, bodies: Uint8Array, isLast: boolean): Promise<Uint8Array> {
    const { files, token, lanes, settings, newId } = this.#parts
    const sequence = this.#staged.sequence + 1
    const isInline = files.length === 0 && bodies.length + index.length <= INLINE_BYTES_MAX
    let inline: Uint8Array | undefined
    if (isInline) {
      const content = new ByteWriter(bodies.length + index.length)
      content.raw(bodies)
      content.raw(index.view())
      inline = content.finish()
    } else {
      if (bodies.length > 0) await files.append(sequence, bodies, "stage")
      await files.append(sequence, index.finish(), "stage")
      await files.sync()
    }
    const { body } = settings.shape
    const mark = { sequence, id: newId() }
    this.#staged = mark
    const shape = { token, body, isLast, lanes: lanes.lanes, requests, bodyBytes, indexBytes: index.length, inline }
    return encodeEpoch({ ...mark, ...shape })
  }

  /** Gives what is committed to be sent. */
  async #handOver(staged: Uint8Array): Promise<void> {
    const epoch = decodeEpoch(staged)
    if (epoch === undefined || epoch.sequence <= this.#applied.sequence) return
    assert(epoch.token === this.#parts.token, "a sink applies its own records")
    this.#parts.outbox.add(await pendingEpoch(this.#parts.files, epoch))
    this.#applied = { sequence: epoch.sequence, id: epoch.id }
    this.#isLast = epoch.isLast
    this.#dispatcher.pump()
  }

  /** Resolves when no more is unsent than this, or nothing is sent any more. */
  async #until(rows: number, bytes: number): Promise<void> {
    const { outbox } = this.#parts
    while (this.#failure === undefined && !this.#dispatcher.isHalted) {
      if (outbox.rows <= rows && outbox.bytes <= bytes) return
      await new Promise<void>((resolve) => this.#waiters.add(resolve))
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #tellLeft(): void {
    const { context, outbox } = this.#parts
    const { output, onEvent } = context
    const rows = counted(outbox.rows, "row is", "rows are")
    onEvent?.({
      kind: "warning",
      about: output,
      message: `${rows} committed and not accepted by the receiver of the output ${output}: ${this.waitsFor}.`,
      hint: "Nothing is lost: the next run sends what is missing.",
    })
  }

  #onProgress(): void {
    this.#isNoteDue = true
    if (this.#isClosed || this.#failure !== undefined) return
    this.#teller.tell(this.#dispatcher.waitsFor)
    for (const resolve of this.#waiters) resolve()
    this.#waiters.clear()
    this.#noting ??= this.#noteNow()
  }

  /** Notes what is acknowledged, and again a while later where there is news. */
  async #noteNow(): Promise<void> {
    const { timers } = this.#parts.context.env
    try {
      while (this.#isNoteDue && !this.#isClosed && this.#failure === undefined) {
        await this.#note()
        await timers.sleep(NOTE_MICROS, this.#closing.signal)
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#noting = undefined
    }
  }

  #note(): Promise<void> {
    const { context, files, token, outbox } = this.#parts
    this.#isNoteDue = false
    return this.#notes.take(() => writeAcknowledged(context.env.disk, files.directory, token, outbox))
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#turns.fail(error)
    for (const resolve of this.#waiters) resolve()
    this.#waiters.clear()
  }
}

/** An epoch with its index. */
export async function pendingEpoch(files: EpochFiles, staged: StagedEpoch): Promise<PendingEpoch> {
  const { bodyBytes, indexBytes } = staged
  const index = new ByteWriter(indexBytes)
  for await (const piece of files.read(staged, bodyBytes, bodyBytes + indexBytes)) index.raw(piece)
  return new PendingEpoch(staged, index.finish())
}

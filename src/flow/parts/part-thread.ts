/**
 * A thread that computes parts of a stream: it has the whole plan, and is given stretches of batches that lie in a memory
 * that it shares. Before a part it is given the batches before it that hold records of windows that are open where the part begins:
 * from them it makes the states that the whole stream would have there, and drops what comes of them. So what it gives
 * for the part is what the whole stream gives for it. It knows nothing of files and of time.
 *
 * Invariants:
 * - PT1 Where no record before the first batch of a task has the time that `least` tells, or a later one, the results of
 *   its part are, to the bit, those that one dataflow over the whole stream gives between the same two batches.
 * - PT2 What "cut" tells are changes that one dataflow might have written there: applied to the state at the cut before, they
 *   give the same state.
 * - PT3 Nothing of a part in which a row has failed counts: only who has the lambdas can say what becomes of it.
 */
import { assert } from "../../base/assert.ts"
import { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { LinearMemory } from "../../base/linear-memory.ts"
import { Arena } from "../../batch/arena.ts"
import { Batch } from "../../batch/batch.ts"
import { readInt53, type Column, type Int64Column } from "../../batch/column.ts"
import { columnsAt, placeCountOf, placesFrom, textColumns, textCountOf } from "../../batch/column-places.ts"
import { Dictionary } from "../../batch/dictionary.ts"
import type { Schema } from "../../batch/schema.ts"
import { schemaOfData } from "../../batch/schema-data.ts"
import type { ColumnType } from "../../batch/type.ts"
import { keepModules } from "../../expr/compiled-module.ts"
import type { OperatorCounts } from "../dataflow-status.ts"
import { Dataflow } from "../dataflow.ts"
import { timeOrder, type IsOrdered } from "../operators/time-order.ts"
import {
  SIGNALS,
  type BatchPlace,
  type FromPartThread,
  type PartResult,
  type PartTask,
  type PartThreadStart,
  type Texts,
  unpackBatch,
} from "./part-messages.ts"
import { planOfData } from "./part-plan.ts"
import { ResultCopies } from "./result-copies.ts"

/** So many result rows are told together, so that whoever takes them need not wait for the end of the part. */
const TOLD_ROWS = 131_072

/**
 * Takes result rows on the thread that makes them, where they are in its caches still: to hand rows over to another costs
 * more than most of what is done with them.
 */
export interface ResultFold {
  /** The rows are gone when it returns. */
  add(output: string, batch: Batch): void
  /** What has come of the rows since the last call: plain data. */
  take(): unknown
}

/** What a thread does with its surroundings. */
export interface PartThreadContext {
  /** Tells an answer. */
  send(answer: FromPartThread): void
  /** Sleeps until a word is another than it was, or gives false where the thread may not sleep. */
  sleep(words: Int32Array, word: number, value: number): boolean
  /** Where result rows are not handed over, but what this makes of them is. */
  fold?(arena: Arena): ResultFold
}

/** See the head of this file. */
export class PartThread {
  readonly #context: PartThreadContext
  readonly #dataflow: Dataflow
  readonly #buffer: SharedArrayBuffer
  readonly #schema: Schema
  readonly #types: readonly ColumnType[]
  readonly #input: string
  readonly #timeIndex: number
  readonly #isOrdered: IsOrdered
  /** How many places the columns of a batch have. */
  readonly #placeCount: number
  readonly #textCount: number
  /** The greatest time of rows that were left out of the first batch of the task. */
  #latestLeftOut = -Infinity
  readonly #copies: ResultCopies
  readonly #fold: ResultFold | undefined
  readonly #partitions = new Set<number>()
  /** By number: those of batches. */
  readonly #dictionaries = new Map<number, Dictionary>()
  /** By output and text column: which dictionary was told of last, and how much of it. */
  readonly #told = new Map<string, { dictionary: Dictionary; size: number }[]>()
  /** The number of the next batch, as far as the states go. */
  #position = 0
  #part = 0
  /** See `PartResults`. */
  #least = Infinity
  #isWanted = false
  #results: PartResult[] = []
  #rowsToTell = 0
  readonly #changes = new ByteWriter()

  constructor(start: PartThreadStart, context: PartThreadContext) {
    const { memory, modules, from, bytes, resultBytesMax, plan: data } = start
    keepModules(modules)
    this.#context = context
    const arena = new Arena({ maxBytes: bytes, within: { memory: memory as LinearMemory, from } })
    this.#buffer = arena.buffer
    const words = new Int32Array(arena.buffer, start.signals, SIGNALS.words)
    this.#copies = new ResultCopies({
      arena,
      maxBytes: resultBytesMax,
      released: () => Atomics.load(words, SIGNALS.released),
      wait: (released) => context.sleep(words, SIGNALS.released, released),
    })
    this.#fold = context.fold?.(arena)
    const { plan, proof } = planOfData(data)
    const { timeIndex } = data
    const source = plan.nodes[0]!
    assert(source.kind === "source", "the plan has one input")
    this.#schema = source.schema
    this.#types = source.schema.fields.map(({ type }) => type)
    this.#input = source.inputName
    this.#timeIndex = timeIndex
    this.#isOrdered = timeOrder(arena.memory)
    this.#placeCount = placeCountOf(this.#types)
    this.#textCount = textCountOf(this.#types)
    this.#dataflow = new Dataflow(plan, {
      arena,
      params: data.params,
      paramsSchema: schemaOfData(data.paramsSchema),
      compile: { mode: "auto", proof },
      givesColumns: this.#fold === undefined,
      emit: (output, batch) => this.#emit(output, batch),
      onFailedRow: ({ operator }) => {
        throw new TypeError(`a row failed in ${operator}`)
      },
    })
    for (const state of this.#dataflow.states) {
      const changes = start.states.get(state.id)
      if (changes !== undefined) state.applyChanges(new ByteReader(changes))
    }
  }

  /** Computes a part. */
  take(task: PartTask): void {
    const { part } = task
    this.#part = part
    try {
      this.#compute(task)
    } catch (error) {
      this.#results = []
      this.#context.send({ kind: "failed", part, reason: error instanceof Error ? error.message : String(error) })
    }
  }

  #compute(task: PartTask): void {
    const { from, resumeAt, start, lastCut, ends } = task
    const batchCount = task.batches.length / (2 + this.#placeCount + this.#textCount)
    this.#learn(task.dictionaries)
    assert(from >= this.#position, "states go forward")
    const isGoingOn = from === this.#position && resumeAt === 0 && start === 0
    this.#isWanted = false
    this.#latestLeftOut = -Infinity
    this.#least = Infinity
    let latest: number[] = []
    let before = this.#counts()
    let cut = 0
    for (let place = 0; place <= batchCount; place++) {
      if (place === resumeAt && !isGoingOn) {
        const least = this.#dataflow.resume()
        // What was left out of the first batch must lie before all that counts, too.
        this.#least = this.#latestLeftOut < least ? least : -Infinity
      }
      // The log has what was written at that cut; what was there then does not count as changed.
      if (place === lastCut) this.#write()
      if (place === start) {
        this.#isWanted = true
        before = this.#counts()
        latest = []
      }
      if (place === batchCount && ends !== undefined) this.#dataflow.endPartition(this.#input, ends)
      while (task.cuts[cut] === place) {
        cut++
        this.#cut(before)
      }
      if (place === batchCount) break
      this.#push(unpackBatch(task, place, this.#placeCount, this.#textCount), place === 0 ? task.firstRow : 0)
      if (place >= resumeAt) this.#dataflow.advance()
      latest.push(this.#dataflow.latestEventTime)
    }
    this.#position = from + batchCount
    this.#takeFolded()
    const counts = this.#counts().map((now, index) => difference(now, before[index]!))
    this.#context.send({ kind: "done", ...this.#answer(), latest: Float64Array.from(latest), counts })
  }

  /** Pushes the rows of a batch from one on. */
  #push({ rows, places, partition, dictionaries, selection }: BatchPlace, firstRow: number): void {
    if (!this.#partitions.has(partition)) {
      this.#partitions.add(partition)
      this.#dataflow.openPartition(this.#input, partition)
    }
    const types = this.#types
    if (firstRow > 0) this.#latestLeftOut = this.#latestOf(columnsAt(this.#buffer, types, places, firstRow))
    const length = rows - firstRow
    const columns = columnsAt(this.#buffer, types, firstRow > 0 ? placesFrom(types, places, firstRow) : places, length)
    textColumns(columns).forEach((column, index) => (column.dictionary = this.#dictionaries.get(dictionaries[index]!)!))
    const origin = { partition, offsets: null, ordinals: null }
    const count = selection?.length ?? length
    this.#dataflow.push(this.#input, new Batch({ schema: this.#schema, columns, length, origin, selection, count }))
  }

  /** Takes the texts that have come to dictionaries, and forgets those that are not named. */
  #learn(dictionaries: ReadonlyMap<number, Texts>): void {
    for (const number of this.#dictionaries.keys()) if (!dictionaries.has(number)) this.#dictionaries.delete(number)
    for (const [number, { bytes, ends }] of dictionaries) {
      const dictionary = this.#dictionaries.get(number) ?? new Dictionary()
      this.#dictionaries.set(number, dictionary)
      let start = 0
      for (const end of ends) {
        const code = dictionary.codeOfBytes(bytes, start, end)
        assert(code === dictionary.size - 1, "texts come in the order of their codes")
        start = end
      }
    }
  }

  /** Tells what has come to the dictionaries of an output since they were told of last. */
  #tellTexts(output: string, columns: readonly Column[]): void {
    let told = this.#told.get(output)
    if (told === undefined) this.#told.set(output, (told = []))
    for (const [column, { dictionary }] of textColumns(columns).entries()) {
      const before = told[column]
      const isAnother = before?.dictionary !== dictionary
      const from = isAnother ? 0 : before.size
      if (!isAnother && from === dictionary.size) continue
      told[column] = { dictionary, size: dictionary.size }
      this.#results.push({ kind: "texts", output, column, isAnother, ...dictionary.textsFrom(from) })
    }
  }

  /** The greatest event time of rows that all count. */
  #latestOf(columns: readonly Column[]): number {
    const { values, halves } = columns[this.#timeIndex] as Int64Column
    const { length } = values
    if (this.#isOrdered(values.byteOffset, length) === 1) return readInt53(halves, length - 1)
    let latest = -Infinity
    for (let row = 0; row < length; row++) latest = Math.max(latest, readInt53(halves, row))
    return latest
  }

  #emit(output: string, batch: Batch): void {
    if (!this.#isWanted || batch.count === 0) return
    if (this.#fold !== undefined) {
      this.#fold.add(output, batch)
      return
    }
    const { columns } = batch
    const { rows, isTimeOrdered, places } = this.#copies.take(batch, () => this.#tell())
    this.#tellTexts(output, columns)
    let last = this.#results[this.#results.length - 1]
    if (last?.kind !== "rows" || last.output !== output)
      this.#results.push((last = { kind: "rows", output, batches: [] }))
    last.batches.push(rows, isTimeOrdered ? 1 : 0, ...places)
    this.#rowsToTell += rows
    if (this.#rowsToTell >= TOLD_ROWS) this.#tell()
  }

  #takeFolded(): void {
    if (this.#fold !== undefined) this.#results.push({ kind: "folded", value: this.#fold.take() })
  }

  #cut(before: readonly OperatorCounts[]): void {
    this.#takeFolded()
    const changes = this.#write()
    const lateRows = new Map(
      this.#counts().map(({ id, lateRows: late }, index) => [id, late - before[index]!.lateRows] as const),
    )
    this.#results.push({ kind: "cut", changes, lateRows })
  }

  /** What has changed since the last call, by operator. */
  #write(): Map<string, Uint8Array> {
    const changes = new Map<string, Uint8Array>()
    for (const state of this.#dataflow.states) {
      this.#changes.recycle()
      state.writeChanges(this.#changes)
      changes.set(state.id, this.#changes.view().slice())
    }
    return changes
  }

  #tell(): void {
    if (this.#results.length > 0) this.#context.send({ kind: "results", ...this.#answer() })
  }

  #answer() {
    const told = { part: this.#part, least: this.#least, results: this.#results }
    this.#results = []
    this.#rowsToTell = 0
    return told
  }

  #counts(): readonly OperatorCounts[] {
    return this.#dataflow.counts()
  }
}

function difference(now: OperatorCounts, before: OperatorCounts): OperatorCounts {
  return {
    id: now.id,
    lateRows: now.lateRows - before.lateRows,
    rowsIn: now.rowsIn - before.rowsIn,
    rowsOut: now.rowsOut - before.rowsOut,
  }
}

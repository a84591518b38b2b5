/**
 * Columns of Nexmark's rows, as far as an input declares them: what it leaves out is not made.
 *
 * Invariant:
 * - NX2 Columns hold what `nexmark.reference.ts` makes row by row, whatever is asked for together.
 */
import { assert } from "../../base/assert.ts"
import { TidemarkError } from "../../base/errors.ts"
import { nameHint } from "../../base/did-you-mean.ts"
import type { Arena } from "../../batch/arena.ts"
import { writeInt53 } from "../../batch/column.ts"
import type { Dictionary } from "../../batch/dictionary.ts"
import type { NumberedRange, NumberedRecords } from "../../batch/numbered-records.ts"
import type { Schema } from "../../batch/schema.ts"
import { Invalid } from "../../batch/type.ts"
import { BatchBuilder } from "../../formats/batch-builder.ts"
import type { FieldReader } from "../../formats/field-reader.ts"
import { kindOf, TEXT_DRAWS, type EventKind, type NexmarkModel } from "./model.ts"
import { cards, channels, cities, emails, filling, names, states, TEXT_BYTES_MAX, urls, words } from "./texts.ts"
import type { ListedText, WriteText } from "./texts.ts"

/** What a column holds: numbers, texts of a closed list, written texts, or objects of events of a kind. */
export type NexmarkValues =
  | { readonly form: "number"; readonly valueOf: (number: number) => number }
  | { readonly form: "listed"; readonly text: ListedText }
  | { readonly form: "written"; readonly write: WriteText }
  | { readonly form: "object"; readonly kind: EventKind; readonly fields: NexmarkFields }

/** Columns by name. */
export type NexmarkFields = Readonly<Record<string, NexmarkValues>>

const numbers = (valueOf: (number: number) => number): NexmarkValues => ({ form: "number", valueOf })
const listed = (text: ListedText): NexmarkValues => ({ form: "listed", text })
const written = (write: WriteText): NexmarkValues => ({ form: "written", write })

const KINDS = ["person", "auction", "bid"] as const

/** The columns of the events of a kind, or of all. */
export function fieldsOf(kind: EventKind | "event", model: NexmarkModel): NexmarkFields {
  const dateTime = numbers((number) => model.timeOf(number))
  if (kind === "person") {
    return {
      id: numbers((number) => model.personId(number)),
      name: listed(names(model)),
      emailAddress: written(emails(model)),
      creditCard: written(cards(model)),
      city: listed(cities(model)),
      state: listed(states(model)),
      dateTime,
      extra: written(filling(model, 125)),
    }
  }
  if (kind === "auction") {
    return {
      id: numbers((number) => model.auctionId(number)),
      itemName: written(words(model, TEXT_DRAWS.itemName, 20)),
      description: written(words(model, TEXT_DRAWS.description, 100)),
      initialBid: numbers((number) => model.initialBid(number)),
      reserve: numbers((number) => model.reserve(number)),
      dateTime,
      expires: numbers((number) => model.expires(number)),
      seller: numbers((number) => model.seller(number)),
      category: numbers((number) => model.category(number)),
      extra: written(filling(model, 390)),
    }
  }
  if (kind === "bid") {
    return {
      auction: numbers((number) => model.bidAuction(number)),
      bidder: numbers((number) => model.bidder(number)),
      price: numbers((number) => model.price(number)),
      channel: listed(channels(model)),
      url: listed(urls(model)),
      dateTime,
      extra: written(filling(model, 68)),
    }
  }
  const objects = KINDS.map((each) => [each, { form: "object", kind: each, fields: fieldsOf(each, model) }] as const)
  const place = { person: 0, auction: 1, bid: 2 }
  return {
    kind: listed({ texts: KINDS, placeOf: (number) => place[kindOf(number)] }),
    dateTime,
    ...Object.fromEntries(objects),
  }
}

/** Fills the rows of one column: row `rows[i]` for the event `numbers[i]`, for each `i` below `count`. */
type Fill = (numbers: Float64Array, rows: Int32Array, count: number) => void

/** Makes columns of events. */
export class NexmarkColumns {
  readonly #builder: BatchBuilder
  readonly #fills: readonly Fill[]
  readonly #numberOf: (record: number) => number
  readonly #numbers: Float64Array
  readonly #rows: Int32Array

  /**
   * @param numberOf the number of the event that is a record of the partition.
   * @throws TidemarkError `invalid-options` where the schema has what the benchmark does not.
   */
  constructor(
    place: { readonly arena: Arena; readonly schema: Schema; readonly input: string },
    fields: NexmarkFields,
    numberOf: (record: number) => number,
  ) {
    const { arena, schema, input } = place
    this.#builder = new BatchBuilder(arena, schema)
    this.#fills = this.#builder.readers.map((reader) => fillOf(reader, fields, `The input ${input}`))
    this.#numberOf = numberOf
    this.#numbers = new Float64Array(65_536)
    this.#rows = new Int32Array(65_536).map((_, row) => row)
  }

  take({ first, count, stride, partition }: NumberedRange): NumberedRecords {
    const builder = this.#builder
    builder.begin(Infinity, Math.min(count, this.#rows.length))
    const records = Math.min(count, builder.capacity)
    const { offsets, ordinals } = builder
    for (let row = 0; row < records; row++) {
      offsets[row] = (first + row) * stride
      ordinals[row] = first + row
      this.#numbers[row] = this.#numberOf(first + row)
    }
    for (const fill of this.#fills) fill(this.#numbers, this.#rows, records)
    return { ...builder.finish(records, partition), bad: [], records }
  }
}

/** How a declared column is filled. */
function fillOf(reader: FieldReader, fields: NexmarkFields, where: string): Fill {
  const { sourceName, type } = reader
  const values = fields[sourceName]
  if (values === undefined) {
    const missing = type.fromMissing()
    if (!(missing instanceof Invalid)) {
      return (_numbers, rows, count) => {
        for (let at = 0; at < count; at++) reader.write(rows[at]!, missing)
      }
    }
    throw new TidemarkError("invalid-options", `${where} has a column ${sourceName}, which Nexmark has not.`, {
      hint: nameHint(sourceName, Object.keys(fields), "columns"),
    })
  }
  const { kind, storage } = type.definition
  const fits = {
    number: kind === "int53" || kind === "timestamp" || kind === "float64",
    listed: kind === "string" || kind === "enum",
    written: kind === "string",
    object: storage === "struct",
  }
  if (!fits[values.form]) {
    throw new TidemarkError("invalid-options", `${where} has ${sourceName} as ${type.label}, which Nexmark's is not.`, {
      hint: "Declare it as the schemas Person, Auction, Bid and NexmarkEvent of tidemark/nexmark do.",
    })
  }
  if (values.form === "number") return fillNumbers(reader, values.valueOf)
  if (values.form === "listed") return fillListed(reader, values.text)
  return values.form === "written" ? fillWritten(reader, values.write) : fillObjects(reader, values, where)
}

function fillNumbers(reader: FieldReader, valueOf: (number: number) => number): Fill {
  const isDouble = reader.type.storage === "float64"
  return (numbers, rows, count) => {
    const { slots } = reader
    if (isDouble) for (let at = 0; at < count; at++) slots[rows[at]!] = valueOf(numbers[at]!)
    else for (let at = 0; at < count; at++) writeInt53(slots as Int32Array, rows[at]!, valueOf(numbers[at]!))
  }
}

function fillListed(reader: FieldReader, { texts, placeOf }: ListedText): Fill {
  let known: Dictionary | undefined
  /** Code + 1 by place, as far as the dictionary at hand has them. */
  const codes = new Int32Array(texts.length)
  return (numbers, rows, count) => {
    const { dictionary, words: target } = reader
    if (dictionary !== known) codes.fill(0)
    known = dictionary
    for (let at = 0; at < count; at++) {
      const place = placeOf(numbers[at]!)
      const code = codes[place]! === 0 ? (codes[place] = dictionary.codeOf(texts[place]!) + 1) : codes[place]!
      target[rows[at]!] = code - 1
    }
  }
}

function fillWritten(reader: FieldReader, write: WriteText): Fill {
  const bytes = new Uint8Array(TEXT_BYTES_MAX)
  return (numbers, rows, count) => {
    const { dictionary, words: target } = reader
    for (let at = 0; at < count; at++) {
      const length = write(numbers[at]!, bytes)
      assert(length <= bytes.length, "a text fits into its room")
      target[rows[at]!] = dictionary.codeOfBytes(bytes, 0, length)
    }
  }
}

/** Objects of the events of one kind, null for all others. */
function fillObjects(
  reader: FieldReader,
  { kind, fields }: { readonly kind: EventKind; readonly fields: NexmarkFields },
  where: string,
): Fill {
  const fills = reader.children.map((child) => fillOf(child, fields, `${where}, ${reader.sourceName},`))
  const ownNumbers = new Float64Array(65_536)
  const ownRows = new Int32Array(65_536)
  return (numbers, rows, count) => {
    let own = 0
    for (let at = 0; at < count; at++) {
      if (kindOf(numbers[at]!) !== kind) {
        reader.writeNull(rows[at]!)
        continue
      }
      ownNumbers[own] = numbers[at]!
      ownRows[own++] = rows[at]!
    }
    for (const fill of fills) fill(ownNumbers, ownRows, own)
  }
}

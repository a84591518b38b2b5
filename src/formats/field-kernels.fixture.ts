/** Runs the readers of fields on texts that stand one behind the other in memory, for tests. */
import { Arena } from "../batch/arena.ts"
import { POWERS_OF_TEN } from "../batch/types/decimal-bytes.ts"
import { csvKernels } from "./csv-blocks.ts"

const encoder = new TextEncoder()
const arena = new Arena({ maxBytes: 4 * 1024 * 1024 })
const block = arena.allocate(2 * 1024 * 1024)
/** Places within the block. The first field has something before it that a number could begin with. */
const PLACES = {
  powers: 0,
  starts: 65_536,
  ends: 131_072,
  unread: 196_608,
  validity: 262_144,
  values: 327_680,
  texts: 524_288,
}
const VALIDITY_BYTES = 2048

export const kernels = csvKernels.on(arena.memory)
export const memory = { bytes: new Uint8Array(arena.buffer), view: new DataView(arena.buffer) }
const powers = block.offset + PLACES.powers
new Float64Array(arena.buffer, powers, POWERS_OF_TEN.length).set(POWERS_OF_TEN)
/** Where readers write. */
export const values = block.offset + PLACES.values

/** A function that reads fields into `values`. */
export type Reader = (...given: readonly [...Parameters<typeof kernels.readWhole>, extra: number]) => number

/** Reads the texts with a reader, and gives the rows that it has listed and those that it has made null. */
export function readTexts(
  reader: Reader,
  texts: readonly string[],
  extra = powers,
  isNullable = false,
  quote = 34,
): { readonly unread: readonly number[]; readonly nulls: readonly number[] } {
  const at = (place: keyof typeof PLACES) => block.offset + PLACES[place]
  const { bytes, view } = memory
  let address = at("texts")
  bytes[address++] = 49
  texts.forEach((text, row) => {
    const encoded = encoder.encode(text)
    view.setInt32(at("starts") + row * 4, address, true)
    bytes.set(encoded, address)
    address += encoded.length
    view.setInt32(at("ends") + row * 4, address, true)
    // What stands behind a field could go on with it.
    bytes[address++] = 48 + (row % 10)
  })
  bytes.fill(255, at("validity"), at("validity") + VALIDITY_BYTES)
  const validity = isNullable ? at("validity") : 0
  const count = reader(at("starts"), 4, 0, at("ends"), 4, texts.length, 0, values, validity, at("unread"), quote, extra)
  const unread = Array.from({ length: count }, (_, place) => view.getInt32(at("unread") + place * 4, true))
  const isNull = (row: number) => ((bytes[at("validity") + (row >> 3)]! >> (row & 7)) & 1) === 0
  return { unread, nulls: texts.map((_, row) => row).filter(isNull) }
}

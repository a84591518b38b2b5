/** A block that an earlier version of the writer has kept is read: what lies on disk stays what it is. */
import { expect, test } from "vitest"
import { ByteReader } from "../../base/bytes.ts"
import { Arena } from "../../batch/arena.ts"
import { readValue } from "../../batch/column.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { ColumnBlockReader } from "./column-block.ts"

const Kept = schema({
  at: t.timestamp(),
  steps: t.int64,
  few: t.int64,
  any: t.int64,
  price: t.float64,
  third: t.float64,
  id: t.int32,
  run: t.int32,
  hash: t.int32,
  word: t.string.nullable(),
  flag: t.bool,
})

/** All ways of lanes but one step in 64 bits, as the loops wrote them before there were kernels. */
const BYTES = [
  "KAMBAEAeGOgDAAAAACQKBgAAAwMCAAAAAAAAAIABqqqqqqoAAAABAAAAAAAAAAABqqqqqioAAAADAAAAAAAAAwMAAAAAAAAAEAAAACACJEmSJE",
  "mSJEmSJAAAAwBIY6PjIM0Yp5vilPEa9xA8mgyNhhkhCdGYNoUbGEsBZpdgfbAWdfn6lYp1RRWf8Y+UtG3aE8npJJPeZW8S8+G5kQheBBEd2k6Q",
  "MlaZD0fS445cTi4Occp4jYZGwwybwg2MsD5YC8W6ooraNu0J77I3iQQvgggZq8yHLicXB0OjYYZYH6wFbZv2hIIXQQSXk4uDrA/WAsGLIILWB2",
  "sB64O1gAAAAAAAURWvgSBoZIgcId6/uttX91iU0S73TktmlQfFnTPBPtXRergMcDQyRA7tq3uspyWzSmCf6ugaGSKH05JZJY0MkcNGhshhAAAA",
  "ALl5N55z8248LG2m2ubm3XifYBUXWdpMtRJUhFPMzbvxhUfzjz/BKi74OmLMsrSZamsu0QglqAin3iFARZibd+NRFa+BC4/mH8QIHr5+glVcN/",
  "yM+vF1xJiq7/s2BAIDAAAAAAAKAFxudL2kTilgbGA95EsbHMwudsTAvulhc3ytpE0iODzvd8vcLqpjepgdZU8pVAygedIAAAAAAAAAAAMDA1VV",
  "VVUAAAAAq6qqqgIQJkkYhmGSJEmSAAABVVXVP6qqAAAUVlUfAKCrqrSqSqyqBAAgAQASACAAABIAIAEAsqoKq6rAqgqrqrCqCqyqsKoKq6rAqg",
  "qrqrCqCqyqAAAAAQAQAAAAABAAAAEAAAAAAQAQAAAAABAAAAEAAAAAAQAQAAAAAAAAAAAAAAAABkCpvFTuDWgjX3xorFCt/WTiTngnnExs7WCh",
  "PnTmjwAAAgMAAAAAAiQAAAAE/wcAAAMEAAAAALF5N55i8248E22m2gLk5OTk5OTk5OTkAAAC3nvvvfcDAAYAAAAAEgASd29yZCAxd29yZCAyd2",
  "9yZCAwAAAAAAACkCBpUiRImhQJkgAAAlVVVVVV",
].join("")

test("CB1 a block of 40 rows that was written before there were kernels", () => {
  const { columns, rows, release } = new ColumnBlockReader(new Arena({ maxBytes: 2 ** 20 }), Kept).read(
    new ByteReader(Buffer.from(BYTES, "base64")),
  )
  const expected = Array.from({ length: 40 }, (_, row) => ({
    at: 1_700_000_000_000_000 + row * 1000,
    steps: BigInt(row) << 31n,
    few: BigInt(row % 3) << 60n,
    any: BigInt.asIntN(64, BigInt(row + 1) * 0x9e3779b97f4a7c15n),
    price: ((row * 7919) % 1000) / 100,
    third: (row + 1) / 3,
    id: (row * 37) % 64,
    run: row >> 4,
    hash: Math.imul(row % 4, 0x9e3779b1),
    word: row % 5 === 0 ? null : `word ${row % 3}`,
    flag: row % 2 === 0,
  }))
  const read = Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(Kept.fields.map(({ name }, field) => [name, readValue(columns[field]!, row)])),
  )
  expect(read).toEqual(expected)
  release()
})

import { expect, test } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { START } from "../../batch/position.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { RecordLines } from "./record-lines.ts"

const Row = schema({ n: t.int53, text: t.string })
const arena = new Arena({ maxBytes: 1 << 22 })

/** What becomes of payloads: the rows, and the ordinals of bad records. */
function decoded(payloads: readonly string[], maxRecordBytes = 1000) {
  const lines = new RecordLines({ arena, schema: Row, maxRecordBytes, partition: 3 })
  lines.add(payloads.map((text) => Buffer.from(text, "latin1")))
  const rows: unknown[] = []
  const bad: number[] = []
  for (let position = START; !lines.isEmpty;) {
    const piece = lines.decode(position, { rows: 65_536, untilOffset: Infinity })
    rows.push(...(piece.batch?.toRows() ?? []))
    bad.push(...piece.bad.map(({ position: at }) => at.ordinal))
    piece.release()
    position = piece.next
  }
  return { rows, bad }
}

const good = (n: number): string => JSON.stringify({ n, text: "x" })

test("each record is one, whatever bytes it has", () => {
  const odd = [
    "",
    " ",
    "\n",
    "\r\n\t",
    "\0\0",
    "null",
    "7",
    "{",
    `${good(1)}${good(2)}`,
    `${good(1)}\n${good(2)}`,
    "\xff\xfe",
  ]
  const payloads = odd.flatMap((text, index) => [good(index), text])
  const { rows, bad } = decoded(payloads)
  expect(rows).toEqual(odd.map((_, n) => ({ n, text: "x" })))
  expect(bad).toEqual(odd.map((_, index) => 2 * index + 1))
})

test("JSON of several lines is a record; a line feed within a text is none of JSON", () => {
  const pretty = JSON.stringify({ n: 1, text: "a\nb" }, undefined, 2)
  expect(pretty).toContain("\n")
  expect(decoded([pretty, '{"n":2,"text":"a\nb"}', `\n${good(3)}\r\n`])).toEqual({
    rows: [
      { n: 1, text: "a\nb" },
      { n: 3, text: "x" },
    ],
    bad: [1],
  })
})

test("a record that is too long is a bad one, and the next is not", () => {
  const long = JSON.stringify({ n: 1, text: "y".repeat(1000) })
  expect(decoded([good(0), long, good(2)])).toEqual({
    rows: [
      { n: 0, text: "x" },
      { n: 2, text: "x" },
    ],
    bad: [1],
  })
})

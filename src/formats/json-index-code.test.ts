import { expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { NULL_LENGTH, ODD_LENGTH } from "./field-code.ts"
import { REPORT } from "./index-report.ts"
import { jsonKernels } from "./json-blocks.ts"
import { STEP } from "./json-index-code.ts"

const arena = new Arena({ maxBytes: 1024 * 1024 })
const { indexLines } = jsonKernels.on(arena.memory)
const block = arena.allocate(256 * 1024)
const [REPORTED, STEPS, FROM, LINE_STARTS, INDEX] = [0, 64, 4096, 131_072, 196_608].map(
  (place) => block.offset + place,
) as [number, number, number, number, number]
const bytes = new Uint8Array(arena.buffer)
const view = new DataView(arena.buffer)
const encoder = new TextEncoder()
const decoder = new TextDecoder()

function setSteps(before: readonly string[], isQuoted: readonly boolean[], ending: string): void {
  bytes.fill(0, STEPS, FROM)
  for (const [index, text] of [...before, ending].entries()) {
    const step = STEPS + index * STEP.bytes
    bytes[step + STEP.length] = text.length
    bytes[step + STEP.isQuoted] = isQuoted[index] ? 1 : 0
    bytes.set(encoder.encode(text), step + STEP.text)
    bytes.fill(255, step + STEP.mask, step + STEP.mask + text.length)
  }
}

/** Indexes lines of a bare value `a` and a string `b`. What is behind the text could go on with it. */
function indexOf(text: string, linesMax = 100, behind = '","b":"x"}\n') {
  setSteps(['{"a":', ',"b":'], [false, true], "}\n")
  const encoded = encoder.encode(text)
  bytes.set(encoded, FROM)
  bytes.set(encoder.encode(behind.repeat(30)), FROM + encoded.length)
  const lines = indexLines(FROM, FROM + encoded.length, INDEX, LINE_STARTS, STEPS, 2, linesMax, REPORTED)
  const values = Array.from({ length: lines * 2 }, (_, place) => {
    const start = view.getInt32(INDEX + place * 8, true)
    const length = view.getInt32(INDEX + place * 8 + 4, true) - start
    if (length === NULL_LENGTH || length === ODD_LENGTH) return [length, String.fromCharCode(bytes[start]!)]
    return decoder.decode(bytes.slice(start, start + length))
  })
  const starts = Array.from({ length: lines + 1 }, (_, place) => view.getInt32(LINE_STARTS + place * 4, true) - FROM)
  return { lines, values, starts, isOut: view.getInt32(REPORTED + REPORT.isOut, true) === 1 }
}

it("indexes bare values up to what is behind them, and strings within their quotes", () => {
  const long = "long".repeat(20)
  const { lines, values, starts } = indexOf(`{"a":1,"b":"x"}\n{"a": -12.5e3 ,"b":""}\n{"a":true,"b":"${long}"}\n`)
  expect([lines, values]).toEqual([3, ["1", "x", " -12.5e3 ", "", "true", long]])
  expect(starts).toEqual([0, 16, 39, 39 + 18 + long.length])
})

it("marks null, and no word that begins so", () => {
  expect(indexOf('{"a":null,"b":null}\n').values).toEqual([
    [NULL_LENGTH, "n"],
    [NULL_LENGTH, "n"],
  ])
  expect(indexOf('{"a":nulls,"b":nulls}\n').values).toEqual(["nulls", [ODD_LENGTH, "n"]])
  expect(indexOf('{"a":nul,"b":"null"}\n').values).toEqual(["nul", "null"])
})

it("marks strings with escapes or control characters, and values that are strings or not where the column's are not", () => {
  expect(indexOf('{"a":"1","b":2}\n').values).toEqual([
    [ODD_LENGTH, '"'],
    [ODD_LENGTH, "2"],
  ])
  expect(indexOf('{"a":1,"b":"x\\"y\\\\"}\n{"a":2,"b":"\t"}\n').values).toEqual([
    ...["1", [ODD_LENGTH, '"']],
    ...["2", [ODD_LENGTH, '"']],
  ])
})

it("ends before a line that is written in another way, or has a value that is not flat or very long", () => {
  const lines = [
    '{"b":"x","a":1}',
    '{"a":1,"b":"x" }',
    '{"a":{},"b":"x"}',
    '{"a":[1],"b":"x"}',
    `{"a":${"1".repeat(90)},"b":"x"}`,
  ]
  for (const line of ["", ...lines, '{"a":1,"b":"x"}\r']) {
    expect(indexOf(`{"a":1,"b":"x"}\n${line}\n${'{"a":1,"b":"x"}\n'.repeat(20)}`), line).toMatchObject({
      lines: 1,
      isOut: false,
    })
  }
})

it("does not take for a line what ends behind the bytes, and says that they have been used up", () => {
  const line = '{"a":1,"b":"x"}\n'
  for (let cut = 1; cut < line.length; cut++) {
    const rest = line.slice(cut)
    expect(indexOf(`${line}${line.slice(0, cut)}`, 100, rest), String(cut)).toMatchObject({ lines: 1, isOut: true })
  }
  expect(indexOf(line.repeat(9), 4).lines).toBe(4)
})

/** Random texts of fields, such as machines write them and some that are nearly so, for each type of column. */
import type { Prng } from "../src/base/prng.ts"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"

/** A column of every way in which fields are read. */
export const EVERY_WAY = schema({
  int32: t.int32,
  whole: t.int53.nullable(),
  long: t.int64,
  double: t.float64.nullable(),
  at: t.timestamp(),
  local: t.timestamp({ zone: "America/New_York" }).nullable(),
  flag: t.bool.nullable(),
  text: t.string,
  name: t.string.nullable(),
  kind: t.enum("one", "two", "a kind of more than sixteen bytes").nullable(),
  count: t.int32.default(7),
  epoch: t.timestamp({ format: "ms" }),
  byte: t.int8.nullable(),
  huge: t.uint64,
  single: t.float32.nullable(),
})

const TEXTS = ["", "a", "Zürich", "日本語", "sixteen bytes ==", "seventeen bytes =", "\0", "a\0", "x".repeat(32)]
const MUTATIONS = [..."0123456789.-+eETZ: /tfu,;\n\r\"'\0", "é", "\r\n", "null"]

const digits = (prng: Prng, count: number): string =>
  Array.from({ length: count }, () => prng.pick([..."0123456789"])).join("")
const padded = (prng: Prng, below: number, from = 0): string => String(from + prng.below(below)).padStart(2, "0")

function wholeText(prng: Prng, digitsMax: number): string {
  return `${prng.chance(0.3) ? "-" : ""}${digits(prng, 1 + prng.below(digitsMax))}`
}

function doubleText(prng: Prng): string {
  if (prng.chance(0.1)) return String((prng.below(2 ** 31) / 2 ** 31) * 10 ** prng.below(20))
  const fraction = prng.chance(0.7) ? `.${digits(prng, 1 + prng.below(prng.pick([2, 6, 16])))}` : ""
  const exponent = prng.chance(0.05) ? `e${prng.pick(["", "-", "+"])}${prng.below(30)}` : ""
  return `${wholeText(prng, prng.pick([3, 9, 17]))}${fraction}${exponent}`
}

function timeText(prng: Prng): string {
  const year = prng.chance(0.9) ? 1969 + prng.below(100) : prng.below(10_000)
  const date = `${String(year).padStart(4, "0")}-${padded(prng, 12, 1)}-${padded(prng, prng.pick([28, 28, 31]), 1)}`
  const time = `${padded(prng, 24)}:${padded(prng, 60)}:${padded(prng, 60)}`
  const fraction = prng.chance(0.6) ? `.${digits(prng, prng.pick([1, 2, 3, 3, 3, 6, 6, 7, 9]))}` : ""
  return `${date}${prng.chance(0.95) ? "T" : " "}${time}${fraction}${prng.pick(["Z", "Z", "Z", "Z", "+02:00", ""])}`
}

const TEXT_OF: Readonly<Record<string, (prng: Prng) => string>> = {
  int32: (prng) => wholeText(prng, prng.pick([3, 9, 11])),
  whole: (prng) => wholeText(prng, prng.pick([3, 15, 17])),
  long: (prng) => wholeText(prng, prng.pick([3, 18, 19, 20])),
  double: doubleText,
  at: timeText,
  local: timeText,
  flag: (prng) => prng.pick(["true", "false", "true", "false", "TRUE", "1"]),
  text: (prng) => prng.pick([...TEXTS, digits(prng, 2), digits(prng, 1 + prng.below(40))]),
  name: (prng) => `name ${prng.below(700)}`,
  kind: (prng) => prng.pick(["one", "two", "a kind of more than sixteen bytes"]),
  count: (prng) => wholeText(prng, 2),
  epoch: (prng) => wholeText(prng, 13),
  byte: (prng) => (prng.chance(0.01) ? String(prng.below(300) - 150) : wholeText(prng, 2)),
  huge: (prng) => (prng.chance(0.01) ? wholeText(prng, 20) : String(prng.below(2 ** 53))),
  single: (prng) => (prng.chance(0.01) ? `3.4${digits(prng, 9)}e38` : doubleText(prng)),
}

/** A text for the column, right most of the time; empty now and then; and changed with the given chance. */
export function randomFieldText(prng: Prng, column: string, chanceOfChange: number): string {
  const isMayBeEmpty = ["whole", "double", "local", "flag", "name", "kind", "count", "byte", "single"].includes(column)
  const text = isMayBeEmpty && prng.chance(0.1) ? "" : TEXT_OF[column]!(prng)
  if (!prng.chance(chanceOfChange)) return text
  const at = prng.below(text.length + 1)
  return text.slice(0, at) + prng.pick(MUTATIONS) + text.slice(at + prng.below(2))
}

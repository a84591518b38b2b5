/** Random patterns against random names, beside the slow twin. */
import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { matchesName, parseGlob } from "./glob.ts"
import { matchesNameSlowly } from "./glob.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)

test("matches as its slow twin does", () => {
  const seed = 20240607
  const prng = new Prng(seed)
  let matches = 0
  for (let run = 0; run < 30_000 * SCALE; run++) {
    const pieces = [
      "a",
      "b",
      "c",
      ".",
      "-",
      "*",
      "*",
      "?",
      "[ab]",
      "[!a]",
      "[^b-c]",
      "[a-b.]",
      "[]a]",
      "[",
      "]",
      "\\*",
      "\\[",
      "🦉",
    ]
    const pattern = Array.from({ length: 1 + prng.below(6) }, () => prng.pick(pieces)).join("")
    const name = Array.from({ length: prng.below(7) }, () =>
      prng.pick(["a", "b", "c", ".", "-", "*", "[", "]", "🦉"]),
    ).join("")
    if (pattern === "." || pattern === "**" || name === "") continue
    const expected = matchesNameSlowly(pattern, name)
    if (expected) matches++
    const actual = matchesName(parseGlob(pattern)[0]!.names[0]!, name)
    if (actual !== expected) expect.fail(`seed ${seed}: ${pattern} against ${name} is ${String(expected)}`)
  }
  expect(matches).toBeGreaterThan(1_000)
})

import { expect, it } from "vitest"
import { forEachSeed } from "../../../test/seeds.ts"
import { Dictionary } from "../../batch/dictionary.ts"
import { ThreadTexts } from "./thread-texts.ts"

it("turns codes of a thread into those of another dictionary, also where either begins anew", () => {
  forEachSeed(100, (prng) => {
    const texts = new ThreadTexts()
    let theirs = new Dictionary()
    let told: Dictionary | undefined
    let size = 0
    let ours = Dictionary.of(["x", "é"])
    for (let batch = 0; batch < 12; batch++) {
      if (prng.chance(0.2)) theirs = new Dictionary()
      if (prng.chance(0.2)) ours = new Dictionary()
      const words = Array.from({ length: prng.below(30) }, () => prng.pick(["", "é", "日本", `w${prng.below(90)}`]))
      const codes = Int32Array.from(words, (word) => theirs.codeOf(word))
      const isAnother = theirs !== told
      texts.take({ isAnother, ...theirs.textsFrom(isAnother ? 0 : size) })
      told = theirs
      size = theirs.size
      texts.translate(codes, ours)
      expect([...codes].map((code) => ours.text(code))).toEqual(words)
    }
  })
})

it("leaves codes alone where the thread has no text, as all values are null", () => {
  const texts = new ThreadTexts()
  texts.take({ isAnother: true, bytes: new Uint8Array(0), ends: new Uint32Array(0) })
  const codes = Int32Array.of(0, 0)
  const target = new Dictionary()
  texts.translate(codes, target)
  expect([...codes, target.size]).toEqual([0, 0, 0])
})

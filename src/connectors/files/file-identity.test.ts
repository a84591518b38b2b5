/** Files are known again by their heads, and told apart. */
import { expect, test } from "vitest"
import { AssertionError } from "../../base/assert.ts"
import { Prng } from "../../base/prng.ts"
import { formatIdentity, HEAD_BYTES, hasIdentity, identityOfHead, parseIdentity } from "./file-identity.ts"

function randomBytes(length: number, seed = 1): Uint8Array {
  const prng = new Prng(seed)
  return Uint8Array.from({ length }, () => prng.below(256))
}

test("O5 a file that has grown is known by every identity that it had", () => {
  const file = randomBytes(HEAD_BYTES + 5_000)
  for (const before of [0, 1, 100, 4_096, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 10]) {
    const identity = parseIdentity(formatIdentity(identityOfHead(file.subarray(0, before))))
    for (const after of [before, before + 1, file.length]) {
      expect(hasIdentity(file.subarray(0, after), identity), `${before} then ${after}`).toBe(true)
    }
  }
})

test("a file that differs in one bit, or is shorter, is another", () => {
  const file = randomBytes(3_000)
  const identity = identityOfHead(file)
  expect(hasIdentity(file.subarray(0, 2_999), identity)).toBe(false)
  for (let at = 0; at < file.length; at += 7) {
    const other = file.slice()
    other[at]! ^= 1 << (at % 8)
    expect(hasIdentity(other, identity)).toBe(false)
  }
})

test("what lies behind the head does not matter", () => {
  const file = randomBytes(HEAD_BYTES + 10)
  const other = file.slice()
  other[HEAD_BYTES]! ^= 1
  expect(identityOfHead(other)).toEqual(identityOfHead(file))
  expect(formatIdentity(identityOfHead(file))).toMatch(/^65536:[0-9a-f]{16}$/)
})

test("the size of a compressed file shows in its identity, and tells nothing of its head", () => {
  const identity = identityOfHead(randomBytes(100))
  expect(formatIdentity(identity, 100)).not.toBe(formatIdentity(identity, 101))
  expect(parseIdentity(formatIdentity(identity, 100))).toEqual(identity)
})

test("a text that is no identity is a defect", () => {
  expect(() => parseIdentity("12:xyz")).toThrow(AssertionError)
})

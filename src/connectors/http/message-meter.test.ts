/** The meter of messages, held against frames of which the test knows where they end. */
import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { MessageMeter } from "./message-meter.ts"

/** A frame as clients send it. */
function frameOf(prng: Prng, kind: number, isLast: boolean, payload: number): Uint8Array {
  const lengthBytes = payload > 65_535 || prng.chance(0.1) ? 8 : payload > 125 || prng.chance(0.1) ? 2 : 0
  const isMasked = prng.chance(0.9)
  const bytes = new Uint8Array(2 + lengthBytes + (isMasked ? 4 : 0) + payload).map(() => prng.below(256))
  bytes[0] = (isLast ? 0x80 : 0) | kind
  bytes[1] = (isMasked ? 0x80 : 0) | (lengthBytes === 8 ? 127 : lengthBytes === 2 ? 126 : payload)
  for (let index = 0, rest = payload; index < lengthBytes; index++, rest = Math.floor(rest / 256)) {
    bytes[1 + lengthBytes - index] = rest % 256
  }
  return bytes
}

test("H13 MM1 however frames are cut, the payload of the message that has not ended is known", () => {
  const prng = new Prng(1)
  for (let round = 0; round < 200; round++) {
    const bytes: number[] = []
    /** Of each number of bytes that have come: payload, whether one is coming, how many have ended. */
    const after: [bytes: number, isWithin: boolean, ended: number][] = [[0, false, 0]]
    let [payload, isWithin, ended] = [0, false, 0]
    for (let frames = 1 + prng.below(8); frames > 0; frames--) {
      const isControl = prng.chance(0.3)
      const length = prng.below(prng.pick([1, 5, isControl ? 125 : 300, isControl ? 1 : 70_000]))
      const isLast = isControl || prng.chance(0.6)
      const frame = frameOf(prng, isControl ? prng.pick([8, 9, 10]) : prng.pick([0, 1, 2]), isLast, length)
      frame.forEach((byte, index) => {
        bytes.push(byte)
        if (!isControl) isWithin = true
        if (!isControl && index >= frame.length - length) payload++
        if (index === frame.length - 1 && isLast && !isControl) [payload, isWithin, ended] = [0, false, ended + 1]
        after.push([payload, isWithin, ended])
      })
    }
    const meter = new MessageMeter()
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + prng.below(prng.pick([1, 3, 100, 100_000])))
      meter.add(Uint8Array.from(bytes.slice(at, end)))
      at = end
      expect([meter.bytes, meter.isWithin, meter.ended]).toEqual(after[at])
    }
  }
})

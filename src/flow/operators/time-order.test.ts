import { expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { Prng } from "../../base/prng.ts"
import { timeOrder } from "./time-order.ts"

const arena = new Arena({ maxBytes: 1 << 20 })
const isOrdered = timeOrder(arena.memory)
/** Columns start at multiples of 64 bytes, and so does the first of these; what lies around one must not matter. */
const memory = new BigInt64Array(arena.buffer)
const AT = 64

function put(times: readonly bigint[]): void {
  memory.fill(-(2n ** 63n), 0, AT + times.length + 64)
  memory[AT - 1] = 2n ** 63n - 1n
  memory.set(times, AT)
}

function ask(count: number): boolean {
  return isOrdered(AT * 8, count) === 1
}

function isOrderedSlowly(times: readonly bigint[]): boolean {
  return times.every((time, at) => at === 0 || times[at - 1]! <= time)
}

const SIZES = [
  0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 62, 63, 64, 65, 66, 71, 72, 73, 127, 128, 129, 191, 192, 193, 256, 257, 258, 511,
  513, 521,
]

it.each(SIZES)("TO1 %i ordered times are ordered, and not where any one of them is ahead of its successor", (size) => {
  const times = Array.from({ length: size }, (_, at) => BigInt(at * 3))
  put(times)
  expect(ask(size)).toBe(true)
  const wrong: number[] = []
  for (let place = 0; place + 1 < size; place++) {
    put(times.with(place, times[place + 1]! + 1n))
    if (ask(size)) wrong.push(place)
    // Ahead of the last, it is behind what is asked about.
    if (place === size - 2 && !ask(size - 1)) wrong.push(-1)
  }
  expect(wrong).toEqual([])
})

it.each(SIZES)("TO1 %i equal times are ordered, and one microsecond back is not", (size) => {
  const times = Array.from({ length: size }, () => -5n)
  put(times)
  expect(ask(size)).toBe(true)
  for (let place = 1; place < size; place++) {
    put(times.with(place, -6n))
    expect(ask(size)).toBe(false)
  }
})

it("TO1 times are compared as signed numbers of 64 bits", () => {
  const limits = [-(2n ** 63n), -(2n ** 32n), -1n, 0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n]
  for (const one of limits) {
    for (const other of limits) {
      // In the part that is asked eight at a time, and in the rest.
      for (const place of [0, 5, 63, 64]) {
        const times = Array.from({ length: 70 }, (_, at) => (at <= place ? one : other))
        put(times)
        expect(ask(times.length)).toBe(one <= other)
      }
    }
  }
})

it("TO1 the kernel says what a loop over neighbours says, over random times", () => {
  for (let seed = 0; seed < 3000; seed++) {
    const prng = new Prng(seed)
    const backChance = prng.pick([0, 0.001, 0.02, 0.5])
    let time = BigInt(prng.below(1000) - 500)
    const times = Array.from({ length: prng.below(prng.pick([300, 1100])) }, () => {
      time += BigInt(prng.below(3))
      if (prng.chance(backChance)) time -= BigInt(1 + prng.below(3))
      return time
    })
    put(times)
    if (ask(times.length) !== isOrderedSlowly(times)) expect.fail(`seed ${seed}`)
  }
  expect(ask(0)).toBe(true)
})

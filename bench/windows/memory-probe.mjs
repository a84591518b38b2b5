/**
 * What the accesses of `key-accesses.mjs` cost this machine and nothing else, in a process of its own: random reads over
 * arrays as large as the operator's, in an arena as its are. `node memory-probe.mjs KEYS RING_ROWS`
 *
 *   runFor MILLIS   so long at least; gives nanoseconds of processor time a record, in three ways
 *
 * - `independent`: no address depends on what was read. The processor has as many misses under way as it can.
 * - `chained`: within a record each address depends on what was read before, as in the operator; records do not depend on
 *   each other.
 * - `dependent`: so does the first of the next record. Each miss is waited for: it is the latency.
 *
 * All arrays hold 0, so that "depends on" is adding what was read: the addresses are the same in all three.
 */
import { Arena } from "../../dist/modules/batch/arena.js"
import { f64, i32, i64, whileLoop } from "../../dist/modules/base/wasm-code.js"
import { WasmModule } from "../../dist/modules/base/wasm-module.js"
import { answer } from "../frame/measured-process.mjs"
import { generator } from "../frame/random.mjs"
import { cpuSeconds } from "../frame/usage.mjs"
import { keyAccesses } from "./key-accesses.mjs"

/** Random numbers, read in order; as many as the operator's input has rows. */
const DRAWN = Number(process.argv[3])
const AT_ONCE = 1 << 16

const arena = new Arena({ maxBytes: 2 ** 31 })
const drawn = arena.allocate(4 * DRAWN)
const random = generator(7)
const numbers = new Uint32Array(arena.buffer, drawn.offset, DRAWN)
for (let at = 0; at < DRAWN; at++) numbers[at] = random() * 2 ** 32
const accesses = keyAccesses(Number(process.argv[2])).map((access) => {
  const block = arena.allocate(access.bytes + 8)
  // Pages that nothing was written to are one and the same.
  new Uint8Array(arena.buffer, block.offset, access.bytes + 8).fill(1)
  new Uint8Array(arena.buffer, block.offset, access.bytes + 8).fill(0)
  return { ...access, address: block.offset }
})

const WAYS = ["independent", "chained", "dependent"]
const module = new WasmModule()
for (const way of WAYS) addReads(module, way)
const kernels = module.instantiate(arena.memory)

/** `way(at, end)` reads for the random numbers in `at … end`. */
function addReads(target, way) {
  target.function(way, { parameters: { at: "i32", end: "i32" }, result: "i32" }, ({ at, end }, scope) => {
    const [number, seen, found] = [scope.local("i64"), scope.local("i32"), scope.local("i32")]
    const record = accesses.flatMap((access) => readsOf(access, { way, number, seen, found, scope }))
    return [
      whileLoop(i32.ltU(at.get, end.get), [
        number.set(i64.load32U(at.get)),
        ...(way === "chained" ? [seen.set(i32.const(0))] : []),
        ...record,
        at.set(i32.add(at.get, i32.const(4))),
      ]),
      i32.or(seen.get, found.get),
    ]
  })
}

function readsOf({ address, bytes, width, isWritten }, { way, number, seen, found, scope }) {
  const place = scope.local("i32")
  const scaled = i64.shrU(i64.mul(number.get, i64.const(BigInt(bytes / width))), i64.const(32n))
  const offset = i32.mul(i32.wrap(scaled), i32.const(width))
  const base = i32.add(i32.const(address), offset)
  const load = width === 1 ? i32.load8U(place.get) : i32.load(place.get)
  const keep = (value) =>
    way === "independent" ? found.set(i32.or(found.get, value)) : seen.set(i32.or(seen.get, value))
  const write =
    width === 1 ? i32.store8(place.get, i32.const(0)) : f64.store(place.get, f64.add(f64.load(place.get), f64.const(0)))
  return [place.set(way === "independent" ? base : i32.add(base, seen.get)), keep(load), ...(isWritten ? [write] : [])]
}

let next = 0
await answer({
  runFor(millis) {
    const spent = Object.fromEntries(WAYS.map((way) => [way, nanosOf(way, Number(millis) / WAYS.length)]))
    return { ...spent, bytes: accesses.reduce((all, { bytes }) => all + bytes, 0) }
  },
})

function nanosOf(way, millis) {
  const [deadline, start] = [performance.now() + millis, cpuSeconds()]
  let records = 0
  while (performance.now() < deadline) {
    const from = drawn.offset + 4 * next
    kernels[way](from, from + 4 * AT_ONCE)
    next = (next + AT_ONCE) % DRAWN
    records += AT_ONCE
  }
  return ((cpuSeconds() - start) / records) * 1e9
}

import { expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { ListedFaults } from "../sim/faults.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { SpillFile } from "./spill-file.ts"

const PATH = "/job/spill"
const SLOT_BYTES = 4096

function worldWith(options: Partial<ConstructorParameters<typeof SimWorld>[0]> = {}): SimWorld {
  const world = new SimWorld({ seed: 1, calmFromMicros: 0, ...options })
  world.image.makeDirectory("/job")
  return world
}

async function runIn<T>(world: SimWorld, program: Promise<T>): Promise<T> {
  expect(await world.run(program)).toBe("settled")
  return await program
}

function randomBytes(prng: Prng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => prng.below(256))
}

test("SF1 SF2 pieces of any length read back, whether they wait or not, whichever were freed", async () => {
  const world = worldWith()
  const prng = new Prng(7)
  await runIn(
    world,
    (async () => {
      const file = new SpillFile(world.boot().disk, PATH, SLOT_BYTES)
      const kept = new Map<number, Uint8Array>()
      for (let step = 0; step < 400; step++) {
        const [address, bytes] = prng.pick([...kept, [-1, new Uint8Array(0)] as const])
        if (address < 0 || prng.chance(0.3)) {
          const written = randomBytes(prng, 1 + prng.below(prng.pick([10, SLOT_BYTES, 5 * SLOT_BYTES])))
          const place = file.write(written.slice())
          expect(kept.has(place)).toBe(false)
          kept.set(place, written)
        } else if (prng.chance(0.4)) {
          file.free(address)
          kept.delete(address)
        } else {
          const from = prng.below(bytes.length)
          const to = from + 1 + prng.below(bytes.length - from)
          expect(file.read(address, from, to).subarray(0, to - from)).toEqual(bytes.subarray(from, to))
        }
        if (prng.chance(0.1)) await file.flush()
      }
      await file.flush()
      for (const [address, bytes] of kept) expect(file.read(address, 0, bytes.length)).toEqual(bytes)
      await file.close()
    })(),
  )
  expect(world.openFiles).toBe(0)
})

test("SF1 bytes that the disk has changed are not taken for what was written", async () => {
  const world = worldWith()
  const { disk } = world.boot()
  const file = new SpillFile(disk, PATH, SLOT_BYTES)
  const bytes = randomBytes(new Prng(3), 3000)
  const address = file.write(bytes.slice())
  await runIn(world, file.flush())
  const spoil = async (position: number): Promise<void> => {
    const other = (await disk.open(PATH, "update", "test"))!
    await other.write(Uint8Array.of(bytes[position]! ^ 1), position, "test")
    await other.close()
  }
  await runIn(world, spoil(2500))
  expect(file.read(address, 0, 1000).subarray(0, 1000)).toEqual(bytes.subarray(0, 1000))
  expect(() => file.read(address, 2000, 3000)).toThrow(/other bytes of \/job\/spill than were written/)
})

test("SF3 there is no file before something is written, nor behind close, and what a killed run has left goes", async () => {
  const world = worldWith()
  const first = new SpillFile(world.boot().disk, PATH, SLOT_BYTES)
  await runIn(world, first.flush())
  expect(world.image.list("/job")).toEqual([])
  first.write(Uint8Array.of(1))
  await runIn(world, first.flush())
  expect(world.image.list("/job")).toEqual(["spill"])
  world.kill()
  const second = new SpillFile(world.boot().disk, PATH, SLOT_BYTES)
  await runIn(world, second.begin())
  expect(world.image.list("/job")).toEqual([])
  second.write(Uint8Array.of(2))
  await runIn(world, second.flush())
  await runIn(world, second.close())
  expect(world.image.list("/job")).toEqual([])
})

test("a full disk, and a read that fails, are told as such", async () => {
  const faults = new ListedFaults([
    { step: "spill.write", occurrence: 0, kind: "enospc" },
    { step: "spill.read", occurrence: 0, kind: "eio" },
  ])
  const world = worldWith({ faults })
  const file = new SpillFile(world.boot().disk, PATH, SLOT_BYTES)
  const address = file.write(Uint8Array.of(1, 2, 3))
  const failed = await runIn(
    world,
    file.flush().then(
      () => undefined,
      (error: unknown) => error,
    ),
  )
  expect(failed).toMatchObject({ code: "disk-full" })
  await runIn(world, file.flush())
  expect(() => file.read(address, 0, 3)).toThrow(/could not read \/job\/spill/)
  expect(file.read(address, 0, 3)).toEqual(Uint8Array.of(1, 2, 3))
  await runIn(world, file.close())
})

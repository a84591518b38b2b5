/** The window over a file: the right bytes, one read under way, and the end only where it is. */
import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import { runProcess } from "../../connect/world.conformance.ts"
import type { DiskFile, Env } from "../../env/env.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { FileWindow, READ_BYTES } from "./file-window.ts"

const PATH = "/file"

function randomBytes(length: number): Uint8Array {
  const prng = new Prng(length)
  return Uint8Array.from({ length }, () => prng.below(256))
}

async function withFile(
  content: Uint8Array,
  program: (file: DiskFile, world: SimWorld) => Promise<void>,
): Promise<void> {
  const world = new SimWorld({ seed: 1 })
  world.image.install(PATH, content)
  const open = async (env: Env): Promise<boolean> => {
    await program((await env.disk.open(PATH, "update", "test.open"))!, world)
    return true
  }
  expect(await runProcess(world, open)).toEqual({ value: true })
}

test("R1, R3 the bytes at hand are the file's, however the window moves", async () => {
  const content = randomBytes(3 * READ_BYTES + 1_234)
  const prng = new Prng(7)
  for (const start of [0, 5, READ_BYTES, content.length - 1, content.length]) {
    await withFile(content, async (file) => {
      const window = new FileWindow(file, start, content.length)
      for (;;) {
        if (!window.isAtEnd) expect(await window.fetch()).toBe(true)
        const { bytes, from, to, offset, isAtEnd } = window
        expect(Buffer.compare(bytes.subarray(from, to), content.subarray(offset, offset + to - from))).toBe(0)
        if (isAtEnd) expect(offset + to - from).toBe(content.length)
        if (isAtEnd && from === to) break
        window.moveTo(offset + (isAtEnd ? to - from : prng.below(to - from + 1)))
      }
      await window.settle()
      await file.close()
    })
  }
})

test("R2 at most one read is under way, and it is under way before it is asked for", async () => {
  const content = randomBytes(5 * READ_BYTES)
  await withFile(content, async (file) => {
    let underWay = 0
    let reads = 0
    const counting: DiskFile = {
      async read(target, position, at) {
        reads++
        expect(++underWay).toBe(1)
        const count = await file.read(target, position, at)
        underWay--
        return count
      },
      write: (source, position, at) => file.write(source, position, at),
      readNow: (target, position, at) => file.readNow(target, position, at),
      writeNow: (source, position, at) => file.writeNow(source, position, at),
      sync: (at) => file.sync(at),
      writeDurably: (source, position, at) => file.writeDurably(source, position, at),
      truncate: (length, at) => file.truncate(length, at),
      size: () => file.size(),
      fileId: () => file.fileId(),
      close: () => file.close(),
    }
    const window = new FileWindow(counting, 0, content.length)
    for (let fetched = 1; fetched <= 5; fetched++) {
      await window.fetch()
      expect(reads).toBe(Math.min(5, fetched + 1))
      window.moveTo(window.offset + READ_BYTES)
    }
    expect(window.isAtEnd).toBe(false)
    await window.fetch()
    expect(window.isAtEnd).toBe(true)
  })
})

test("R3 bytes that were appended meanwhile belong to the file", async () => {
  await withFile(randomBytes(100), async (file) => {
    const window = new FileWindow(file, 0, 100)
    await window.fetch()
    await file.write(Uint8Array.of(1, 2, 3), 100, "test.write")
    await window.fetch()
    expect([window.to - window.from, window.isAtEnd]).toEqual([103, false])
    await window.fetch()
    expect(window.isAtEnd).toBe(true)
  })
})

test("a file that has become shorter is found out before anything false is at hand", async () => {
  const content = randomBytes(4 * READ_BYTES)
  for (const length of [0, 50, READ_BYTES, 2 * READ_BYTES + 5]) {
    await withFile(content, async (file) => {
      const window = new FileWindow(file, 0, content.length)
      await window.fetch()
      await window.settle()
      await file.truncate(length, "test.truncate")
      let isWhole = true
      while (isWhole && !window.isAtEnd) {
        const { bytes, from, to } = window
        expect(Buffer.compare(bytes.subarray(from, to), content.subarray(0, to - from))).toBe(0)
        isWhole = await window.fetch()
      }
      expect(isWhole).toBe(false)
    })
  }
})

test("a read that fails ahead of time fails when it is needed, and not before", async () => {
  await withFile(randomBytes(3 * READ_BYTES), async (file, world) => {
    const window = new FileWindow(file, 0, 3 * READ_BYTES)
    let reads = 0
    world.faults = { strike: ({ operation }) => (operation === "read" && ++reads === 2 ? "eio" : undefined) }
    await window.fetch()
    await window.settle()
    expect(window.to - window.from).toBe(READ_BYTES)
    await expect(window.fetch()).rejects.toMatchObject({ code: "disk-failed" })
  })
})

/** What syncs of a part promise while others write to it. The sink's own tests have its life. */
import { expect, test } from "vitest"
import type { Disk, DiskFile } from "../../env/env.ts"
import { PartFile } from "./part-file.ts"

/** A file whose syncs end when the test says so. */
class SlowFile {
  readonly syncs: { resolve: () => void; reject: (error: Error) => void }[] = []
  isClosed = false

  async part(): Promise<PartFile> {
    const file: Partial<DiskFile> = {
      write: () => Promise.resolve(),
      sync: () => new Promise((resolve, reject) => this.syncs.push({ resolve, reject })),
      close: () => {
        this.isClosed = true
        return Promise.resolve()
      },
    }
    const disk: Partial<Disk> = {
      open: () => Promise.resolve(file as DiskFile),
      syncDirectory: () => Promise.resolve(),
    }
    return await PartFile.create({ disk: disk as Disk, directory: "/out", token: 1, extension: "jsonl" }, 0)
  }
}

const goRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const write = (part: PartFile): Promise<void> => part.write(new Uint8Array(3), 0, "sink.apply.write")

test("J4 what is written while a sync runs is synced by the next one", async () => {
  const file = new SlowFile()
  const part = await file.part()
  await write(part)
  const first = part.sync("sink.checkpoint.sync")
  await goRound()
  await write(part)
  const second = part.sync("sink.publish.sync")
  await goRound()
  expect(file.syncs).toHaveLength(1)
  file.syncs[0]!.resolve()
  await first
  await goRound()
  expect(file.syncs).toHaveLength(2)
  file.syncs[1]!.resolve()
  await second
  // Nothing was written since.
  await part.sync("sink.publish.sync")
  expect(file.syncs).toHaveLength(2)
})

test("J4 after a sync that failed all fail, and closing waits for it", async () => {
  const file = new SlowFile()
  const part = await file.part()
  await write(part)
  const first = part.sync("sink.checkpoint.sync")
  const second = part.sync("sink.publish.sync")
  const closed = part.close()
  await goRound()
  expect(file.isClosed).toBe(false)
  file.syncs[0]!.reject(new Error("EIO"))
  await expect(first).rejects.toThrow("EIO")
  await expect(second).rejects.toThrow("EIO")
  await expect(part.sync("sink.publish.sync")).rejects.toThrow("EIO")
  await closed
  expect([file.isClosed, file.syncs.length]).toEqual([true, 1])
})

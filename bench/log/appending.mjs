/** What `npm run bench:log` measures: appending to a log, and to a file by the same calls of the system without any log. */
import { promises as fs, rmSync } from "node:fs"
import { join } from "node:path"

const MEBIBYTE = 2 ** 20
const SMALL_BYTES = 128
/** A file that has its length already, as a log's segment has, so that a sync need not write it down. */
const ALLOCATED_BYTES = 4 * MEBIBYTE
const APPENDERS = 16

/** A log in a new directory. */
export async function newLog({ openLog }, folder) {
  const directory = join(folder, "log")
  rmSync(directory, { recursive: true, force: true })
  return await openLog(directory)
}

/** The milliseconds that each of so many small appends took, one after the other. */
export async function smallAppends(log, count) {
  const payload = Buffer.alloc(SMALL_BYTES, 1)
  return await timesOf(count, () => log.append(payload))
}

/** The same by write and fdatasync. */
export async function smallWrites(folder, count) {
  const path = join(folder, "raw")
  const file = await fs.open(path, "w")
  await file.write(Buffer.alloc(ALLOCATED_BYTES), 0, ALLOCATED_BYTES, 0)
  await file.datasync()
  const bytes = Buffer.alloc(SMALL_BYTES, 1)
  let position = 0
  const times = await timesOf(count, async () => {
    await file.write(bytes, 0, SMALL_BYTES, position)
    await file.datasync()
    position += SMALL_BYTES
  })
  await file.close()
  rmSync(path)
  return times
}

/** Records a second of so many appenders at once, each of which waits for its own. */
export async function concurrentAppends(log, count) {
  const payload = Buffer.alloc(SMALL_BYTES, 1)
  let left = count
  return (
    count /
    (await secondsOf(() =>
      Promise.all(
        Array.from({ length: APPENDERS }, async () => {
          while (left-- > 0) await log.append(payload)
        }),
      ),
    ))
  )
}

/** MiB a second of appends of a mebibyte, so many of which wait at once. */
export async function largeAppends(log, count, atOnce) {
  const payload = Buffer.alloc(MEBIBYTE, 3)
  let left = count
  return (
    count /
    (await secondsOf(() =>
      Promise.all(
        Array.from({ length: atOnce }, async () => {
          while (left-- > 0) await log.append(payload)
        }),
      ),
    ))
  )
}

/** The same by write and fdatasync, one after the other. */
export async function largeWrites(folder, count) {
  const path = join(folder, "raw")
  const file = await fs.open(path, "w")
  const bytes = Buffer.alloc(MEBIBYTE, 3)
  const seconds = await secondsOf(async () => {
    for (let index = 0; index < count; index++) {
      await file.write(bytes, 0, MEBIBYTE, index * MEBIBYTE)
      await file.datasync()
    }
  })
  await file.close()
  rmSync(path)
  return count / seconds
}

/** Records a second in batches, two of which wait at once. */
export async function batches(log, count, records) {
  const payloads = Array.from({ length: records }, () => Buffer.alloc(SMALL_BYTES, 1))
  let left = count
  const append = async () => {
    while (left-- > 0) await log.appendBatch(payloads)
  }
  return (count * records) / (await secondsOf(() => Promise.all([append(), append()])))
}

/** Records a second that are read, from the start to the end, as many at a time as the log gives. */
export async function reading(log) {
  let records = 0
  const seconds = await secondsOf(async () => {
    for await (const entries of log.readBatches()) records += entries.length
  })
  return records / seconds
}

/** The same one by one. */
export async function readingOneByOne(log) {
  let records = 0
  const seconds = await secondsOf(async () => {
    for await (const entry of log.read()) if (entry.kind === "record") records++
  })
  return records / seconds
}

async function timesOf(count, call) {
  const times = []
  for (let index = 0; index < count; index++) {
    const before = performance.now()
    await call()
    times.push(performance.now() - before)
  }
  return times.sort((one, other) => one - other)
}

async function secondsOf(work) {
  const before = performance.now()
  await work()
  return (performance.now() - before) / 1000
}

/**
 * The jobs, in a process of their own. `node engine.mjs DIRECTORY WINDOW_MILLIS SECONDS CSV_FILES`
 *
 *   alone RATE               the live job; `Infinity` finds out what it can take
 *   batch                    the batch job
 *   beside RATE PRIORITY     both, the live job with that priority
 *   disk                     a small append and a sync every 5 ms, without an engine: what this disk does beside other work
 */
import { mkdtemp, open, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { answer } from "../frame/measured-process.mjs"
import { startBatch } from "./batch-job.mjs"
import { runLive } from "./live-job.mjs"
import { percentiles } from "./window-latencies.mjs"

const [root, windowMillis, seconds, files] = process.argv.slice(2)

async function inDirectory(work) {
  const directory = await mkdtemp(join(root, "run-"))
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

const live = (rate, directory, runOptions) =>
  runLive({ rate, seconds: Number(seconds), windowMillis: Number(windowMillis), directory, runOptions })

/** What the batch job reads a second while `work` runs. */
async function besideBatch(directory, work) {
  const batch = await startBatch(files, join(directory, "batch"))
  const [startMillis, before] = [performance.now(), batch.status().rowsIn]
  const outcome = await work()
  const status = batch.status()
  if (status.state !== "running") throw new Error("the batch job came to its end: give it more to read")
  const rate = ((status.rowsIn - before) / (performance.now() - startMillis)) * 1000
  await batch.stop()
  return { ...outcome, batchRatePerSecond: rate }
}

await answer({
  alone: (rate) => inDirectory((directory) => live(Number(rate), directory)),
  batch: () => inDirectory((directory) => besideBatch(directory, () => sleep(Number(seconds) * 1000))),
  beside: (rate, priority) =>
    inDirectory((directory) => besideBatch(directory, () => live(Number(rate), directory, { priority }))),
  disk: () =>
    inDirectory(async (directory) => {
      const file = await open(join(directory, "log"), "w")
      const bytes = new Uint8Array(8192)
      const micros = []
      const end = performance.now() + Number(seconds) * 1000
      for (let at = 0; performance.now() < end; at += bytes.length) {
        const start = performance.now()
        await file.write(bytes, 0, bytes.length, at)
        await file.datasync()
        micros.push((performance.now() - start) * 1000)
        await sleep(5)
      }
      await file.close()
      return percentiles(micros)
    }),
})

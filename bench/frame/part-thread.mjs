/**
 * The program of the threads of `parted-run.mjs`: that of the package's threads, but that it counts result rows where they
 * are made, as `dataflow-run.mjs`' thread does, and hands over what it has counted.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads"
import { PartThread } from "../../dist/modules/flow/parts/part-thread.js"
import { ResultHash } from "./result-hash.mjs"
import { ResultSums } from "./result-sums.mjs"

const KINDS = { sums: ResultSums, hash: ResultHash }

const thread = new PartThread(workerData, {
  send: (answer) => parentPort.postMessage(answer),
  sleep: (words, word, value) => Atomics.wait(words, word, value) !== "timed-out",
  fold: (arena) => {
    const counts = new KINDS[workerData.counts](arena)
    return { add: (_output, batch) => counts.add(batch), take: () => counts.take() }
  },
})
parentPort.on("message", (task) => {
  // What waits is taken at once: to be called for it costs more.
  for (let next = { message: task }; next !== undefined; next = receiveMessageOnPort(parentPort))
    thread.take(next.message)
})

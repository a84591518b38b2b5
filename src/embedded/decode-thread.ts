/** The program of all threads: it takes messages and answers them. What a thread does is said by what it is started with. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads"
import type { PartTask, PartThreadStart } from "../flow/parts/part-messages.ts"
import type { DecodeThreadStart, ToDecodeThread } from "../formats/threads/decode-messages.ts"

const start = workerData as DecodeThreadStart | PartThreadStart
const port = parentPort!
// What a thread does not need is not loaded. Messages wait until somebody listens.
if ("plan" in start) {
  const { PartThread } = await import("../flow/parts/part-thread.ts")
  const thread = new PartThread(start, {
    send: (answer) => port.postMessage(answer),
    sleep: (words, word, value) => Atomics.wait(words, word, value) !== "timed-out",
  })
  port.on("message", (task: PartTask) => {
    thread.take(task)
    // What waits is taken at once: to be called for it costs more.
    for (let next; (next = receiveMessageOnPort(port)) !== undefined;) thread.take(next.message as PartTask)
  })
} else {
  const { DecodeThread } = await import("../formats/threads/decode-thread.ts")
  const thread = new DecodeThread(start)
  port.on("message", (message: ToDecodeThread) => {
    const answer = thread.take(message)
    if (answer !== undefined) port.postMessage(answer)
  })
}

/** The program of the threads that decode: it takes messages and answers them. */
import { parentPort, workerData } from "node:worker_threads"
import type { DecodeThreadStart, ToDecodeThread } from "../formats/threads/decode-messages.ts"
import { DecodeThread } from "../formats/threads/decode-thread.ts"

const thread = new DecodeThread(workerData as DecodeThreadStart)
const port = parentPort!
port.on("message", (message: ToDecodeThread) => {
  const answer = thread.take(message)
  if (answer !== undefined) port.postMessage(answer)
})

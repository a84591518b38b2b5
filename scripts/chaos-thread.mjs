/** A thread of `chaos-child.mjs`: it decodes, and dies by itself after as many messages as the environment says. */
import { parentPort } from "node:worker_threads"
import { fromDist } from "./dist.mjs"

await fromDist("embedded/decode-thread")
const lifetime = Number(process.env.CHAOS_THREAD_MESSAGES ?? Infinity)
let messages = 0
parentPort.on("message", () => {
  if (++messages >= lifetime) process.exit(1)
})

/** The program of simulated threads: what each does is said by what it is started with, as `embedded/decode-thread.ts` has it. */
import type { PartThreadStart } from "../flow/parts/part-messages.ts"
import { PartThread } from "../flow/parts/part-thread.ts"
import type { DecodeThreadStart } from "../formats/threads/decode-messages.ts"
import { DecodeThread } from "../formats/threads/decode-thread.ts"
import type { ThreadProgram } from "./sim-threads.ts"

/** See the head of this file. Simulated threads cannot sleep: a part whose results do not fit fails. */
export const threadProgram: ThreadProgram = (data, send) => {
  const start = data as DecodeThreadStart | PartThreadStart
  return "plan" in start ? new PartThread(start, { send, sleep: () => false }) : new DecodeThread(start)
}

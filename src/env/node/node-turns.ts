/** Turns on the thread that loads this module: its event loop goes round between pieces of work. */
import { ThreadTurns } from "../thread-turns.ts"

/** The one object of this thread, as there is one event loop: all envs of the thread have it. */
export const nodeTurns = new ThreadTurns(
  () => new Promise((resolve) => setImmediate(resolve)),
  () => performance.now() * 1000,
)

/** Serves a job from before it recovers until it has ended. */
import type { JobHandle } from "../runtime/run-job.ts"
import type { JobEvent } from "../trace/events.ts"
import { CommitTimes } from "./commit-times.ts"
import { serveStatus, type ServerAddress } from "./status-server.ts"

/**
 * Starts a job with `start`, which gets who is to be told of its events, and serves it meanwhile.
 *
 * @throws TidemarkError `address-unavailable` where it cannot listen there, and what `start` throws.
 */
export async function serveWhile(
  start: (tell: (event: JobEvent) => void) => Promise<JobHandle>,
  tell: (event: JobEvent) => void,
  address: ServerAddress,
): Promise<JobHandle> {
  const commits = new CommitTimes()
  let handle: JobHandle | undefined
  const server = await serveStatus({ status: () => handle?.status(), commits }, address)
  try {
    tell({ kind: "serving", url: server.url })
    handle = await start((event) => {
      if (event.kind === "committed") commits.add(event.commitMicros)
      tell(event)
    })
  } catch (error) {
    await server.close()
    throw error
  }
  const running = handle
  const finished = running.finished.finally(() => server.close())
  // As with the handle that it stands for: whoever holds it decides when to look at a failure.
  finished.catch(() => undefined)
  return {
    finished,
    status: () => running.status(),
    stop: (options) => {
      void running.stop(options)
      return finished
    },
  }
}

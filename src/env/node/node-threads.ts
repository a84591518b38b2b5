/** Worker threads of this process (`node:worker_threads`), and how many of them the machine and its limits allow. */
import { readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import type { Thread, ThreadEvents, Threads } from "../env.ts"

/** Threads that run a program: a module that takes `workerData` and messages. */
export function nodeThreads(program: URL): Threads {
  return {
    parallelism: parallelism(),
    start(data, events) {
      try {
        // Flags of this process, such as loaders, are not for a program that is plain JavaScript.
        return running(new Worker(program, { workerData: data, execArgv: [] }), events)
      } catch {
        // Under Node's permission model a process may not be allowed threads.
        return undefined
      }
    },
  }
}

function running(worker: Worker, events: ThreadEvents): Thread {
  let isStopped = false
  let reason: string | undefined
  worker.on("message", (message) => events.onMessage(message))
  worker.on("error", (error) => {
    reason = error instanceof Error ? error.message : String(error)
  })
  worker.on("exit", (code) => {
    if (!isStopped) events.onDeath(reason ?? `it ended with the code ${code}`)
  })
  return {
    send: (message) => worker.postMessage(message),
    async stop() {
      isStopped = true
      await worker.terminate()
    },
  }
}

/** Processors that the process may use: as the system schedules it, and as the container's quota of time allows. */
function parallelism(): number {
  const quota = Math.min(quotaOf("/sys/fs/cgroup/cpu.max"), quotaOfVersion1())
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quota)))
}

/** Processors by the quota of control groups, version 2: `max 100000`, or microseconds and a period. */
function quotaOf(path: string): number {
  const [quota, period] = (textOf(path) ?? "").split(" ").map(Number)
  return quota! > 0 && period! > 0 ? quota! / period! : Infinity
}

function quotaOfVersion1(): number {
  const [quota, period] = ["quota", "period"].map((name) => Number(textOf(`/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`)))
  return quota! > 0 && period! > 0 ? quota! / period! : Infinity
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/**
 * The real world. Only this folder, the connectors and the command line may name `node:*`.
 *
 * Invariant:
 * - Z3 A sleep ends at its time or at its signal, whichever comes first, and leaves no timer and no listener behind.
 */
import { randomBytes } from "node:crypto"
import { performance } from "node:perf_hooks"
import type { Env, Threads } from "../env.ts"
import { lockDirectory } from "./directory-lock.ts"
import { nodeDisk } from "./node-disk.ts"
import { nodeTurns } from "./node-turns.ts"
import { nodeScopes } from "./scopes.ts"

/** The longest wait that `setTimeout` can take, in milliseconds. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/**
 * The real clock, timers, disk and chance of this process, and what it can prove about closures.
 *
 * @param threads those of `nodeThreads`, where there is a program for them.
 */
export function nodeEnv(threads?: Threads): Env {
  return {
    clock: {
      wallMicros: () => Date.now() * 1000,
      monotonicMicros: () => Math.floor(performance.now() * 1000),
    },
    timers: { sleep },
    disk: nodeDisk,
    scopes: nodeScopes(),
    threads,
    turns: nodeTurns,
    randomUint32: () => randomBytes(4).readUInt32LE(0),
    lockDirectory,
  }
}

async function sleep(micros: number, signal?: AbortSignal): Promise<void> {
  const end = performance.now() + micros / 1000
  // Without a wait, the event loop still gets its turn.
  if (micros <= 0) return new Promise((resolve) => setImmediate(resolve))
  for (let rest = micros / 1000; rest > 0 && signal?.aborted !== true; rest = end - performance.now()) {
    await wait(Math.min(rest, TIMEOUT_MS_MAX), signal)
  }
}

function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", wake)
      resolve()
    }
    const timer = setTimeout(wake, milliseconds)
    signal?.addEventListener("abort", wake)
  })
}

/**
 * The simulated world: an `Env` in which one seed decides when every call completes, which calls fail and what a crash
 * leaves. Processes come and go (`boot`, `crash`, `kill`); the disk stays.
 *
 * A disk call has two moments: it is issued, and later, at a random virtual time, it takes effect and completes (at
 * times its caller hears of it only later still). So calls that are under way together take effect in any order.
 *
 * Invariants:
 * - X1 The same seed, options and program give the same trace, event by event.
 * - X2 When a process has died, none of its calls settles any more, and none changes the disk.
 * - X3 What is under way at a death is done, not done, or (a write) done in part.
 * - X4 Bytes are taken from the caller's buffer when a write takes effect, not when it is issued: whoever changes them
 *   too early spoils them, as on a real disk.
 * - X5 In a calm world calls take effect and are heard of at the virtual time at which they are issued, in their order: time
 *   passes only where somebody waits. The seed decides what a crash leaves, and nothing else.
 */
import { assert } from "../base/assert.ts"
import { Prng } from "../base/prng.ts"
import type { Clock, DirectoryLock, Disk, Env, ScopeProver, Threads, Timers, Turns } from "../env/env.ts"
import { diskError } from "../env/disk-error.ts"
import { ThreadTurns } from "../env/thread-turns.ts"
import { DiskImage, ImageError } from "./disk-image.ts"
import { FaultMatrix, NO_FAULTS, type DiskOperation, type Fault, type FaultKind, type FaultPlan } from "./faults.ts"
import { SimScheduler, type SimEvent } from "./scheduler.ts"
import { DeadProcessError, type CallEffect, type CallingProcess, type CallSite } from "./sim-call.ts"
import { SimDisk } from "./sim-disk.ts"
import { SimThreads, type ThreadProgram } from "./sim-threads.ts"
import { SimTrace } from "./sim-trace.ts"

/** What a simulated world is made of. All times in virtual microseconds. */
export interface SimWorldOptions {
  readonly seed: number
  /** Which disk calls go wrong; none by default. It can be replaced later. */
  readonly faults?: FaultPlan
  /** Keeps every event of the trace, not only the hash. */
  readonly keepsTrace?: boolean
  /** What the simulated processes prove about closures; nothing by default. */
  readonly scopes?: ScopeProver
  /** What threads of the processes run; without it they have none. */
  readonly threadProgram?: ThreadProgram | undefined
  /**
   * Makes the world a calm one, whose wall clock begins here and is never set (X5). In microseconds since 1970.
   */
  readonly calmFromMicros?: number
}

/** How a process ended. */
export type Death =
  /** The machine lost power: what was not synced is at the mercy of the seed. */
  | "crash"
  /** Only the process died: what it wrote stays. */
  | "kill"

interface PendingCall {
  readonly event: SimEvent
  readonly effect: CallEffect<unknown>
}

const EPOCH_WALL_MICROS = 1_700_000_000_000_000

/** A disk, a clock and the processes that come and go on them. */
export class SimWorld {
  readonly image: DiskImage
  readonly scheduler = new SimScheduler()
  readonly trace: SimTrace
  readonly matrix = new FaultMatrix()
  /** Which disk calls go wrong from now on. */
  faults: FaultPlan
  /** The faults that have struck, in order. */
  readonly struck: Fault[] = []
  /** How often the machine has crashed. */
  crashes = 0
  /** Called after every event, when the world has changed and the program under test has not yet heard of it. */
  onEvent: (() => void) | undefined
  readonly #scopes: ScopeProver | undefined
  readonly #seed: number
  readonly #threadProgram: ThreadProgram | undefined
  /** X5. */
  readonly isCalm: boolean
  readonly #latencies: Prng
  readonly #crashes: Prng
  readonly #chances: Prng
  readonly #occurrences = new Map<string, number>()
  readonly #locks = new Map<string, SimProcess>()
  #process: SimProcess | undefined
  #booted = 0
  #wallOffset: number

  constructor(options: SimWorldOptions) {
    const prng = new Prng(options.seed)
    this.image = new DiskImage(prng.chance(0.5) ? "ordered" : "independent")
    this.trace = new SimTrace({ keepsEvents: options.keepsTrace ?? false })
    this.faults = options.faults ?? NO_FAULTS
    this.#scopes = options.scopes
    this.#seed = options.seed
    this.#threadProgram = options.threadProgram
    this.#latencies = prng.fork()
    this.#crashes = prng.fork()
    this.#chances = prng.fork()
    this.isCalm = options.calmFromMicros !== undefined
    this.#wallOffset = options.calmFromMicros ?? EPOCH_WALL_MICROS + this.#chances.below(1_000_000_000)
  }

  /** Whether a process runs. It ends by `crash` or `kill`, of the caller's or of a fault's making. */
  get isAlive(): boolean {
    return this.#process?.isAlive ?? false
  }

  /** The process that runs, as those see it who make calls for it that are none of the disk. */
  get process(): CallingProcess {
    assert(this.#process?.isAlive === true, "a process runs")
    return this.#process
  }

  /** How many files the process holds open. */
  get openFiles(): number {
    return this.#process?.openFiles ?? 0
  }

  /** Starts a process: the env that it sees. At most one runs at a time. */
  boot(): SimEnv {
    assert(!this.isAlive, "one process runs at a time")
    // The wall clock may be set between two runs, forwards or backwards.
    if (!this.isCalm && this.#chances.chance(0.2))
      this.#wallOffset += this.#chances.below(7_200_000_000) - 3_600_000_000
    const process = new SimProcess(this, ++this.#booted)
    this.#process = process
    this.record("boot", "")
    return process.env
  }

  /** The machine loses power: the process is gone, where there is one, and so may be what was not synced. */
  crash(): void {
    if (this.isAlive) this.#die("crash")
    else this.record("crash", "")
    this.crashes++
    this.image.crash(this.#crashes)
  }

  /** The process dies; what it has written stays. Also what a process's orderly exit is to the disk. */
  kill(): void {
    this.#die("kill")
  }

  /**
   * Lets time pass until the promise settles or the process dies.
   *
   * @param maxEvents how many events there may be until then.
   * @returns `"settled"` or `"died"`; the promise's own outcome is the caller's to look at.
   */
  async run(promise: Promise<unknown>, maxEvents?: number): Promise<"settled" | "died"> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    await this.scheduler.runUntil(() => isSettled || !this.isAlive, maxEvents)
    // What a process is told that dies of a call that is done when it returns, nobody hears.
    return this.isAlive ? "settled" : "died"
  }

  /** Lets time pass until the process has no disk call under way, or has died. */
  async settle(): Promise<void> {
    await this.scheduler.runUntil(() => {
      const { pending, unheard } = this.#process ?? { pending: new Set(), unheard: 0 }
      return pending.size + unheard === 0
    })
  }

  /** Sets the wall clock forwards or backwards, while a process runs or between two. */
  stepClock(micros: number): void {
    this.#wallOffset += micros
    this.record("clock", String(micros))
  }

  /** Adds an event to the trace. */
  record(kind: string, text: string): void {
    this.trace.add({ micros: this.scheduler.now, instance: this.#booted, kind, text })
  }

  /** Makes a call of a process: decides when it takes effect and what goes wrong. */
  call<T>(process: SimProcess, site: CallSite, effect: CallEffect<T>): Promise<T> {
    if (!process.isAlive) return new Promise(() => undefined)
    const fault = this.#strike(site)
    return new Promise((resolve, reject) => {
      const fire = (): void => {
        process.pending.delete(call)
        this.#settle(process, site, effect, fault, resolve, reject)
        this.onEvent?.()
      }
      const delay = this.#latency(site.operation) + (fault === "stall" ? this.#chances.below(30_000_000) : 0)
      const call: PendingCall = { event: this.scheduler.schedule(delay, fire), effect }
      process.pending.add(call)
    })
  }

  /**
   * Makes a call of a process that is done when this returns: no time passes meanwhile.
   *
   * @throws DeadProcessError where the process has died, so that it goes no further.
   */
  callNow<T>(process: SimProcess, site: CallSite, effect: CallEffect<T>): T {
    const dead = new DeadProcessError(`the process is dead at ${site.step}`)
    if (!process.isAlive) throw dead
    const fault = this.#strike(site)
    const heard: { value?: T; error?: Error } = { error: dead }
    const resolve = (value: T): void => {
      heard.value = value
      delete heard.error
    }
    const reject = (error: Error): void => {
      heard.error = error
    }
    this.#settle(process, site, effect, fault, resolve, reject, true)
    this.onEvent?.()
    if (heard.error !== undefined) throw heard.error
    return heard.value as T
  }

  #strike(site: CallSite): FaultKind | undefined {
    const occurrence = this.#occurrences.get(site.step) ?? 0
    this.#occurrences.set(site.step, occurrence + 1)
    this.matrix.countCall(site.step, site.operation)
    const fault = this.faults.strike({ step: site.step, operation: site.operation, occurrence })
    if (fault !== undefined) {
      this.struck.push({ step: site.step, occurrence, kind: fault })
      this.matrix.countFault(site.step, site.operation, fault)
      this.record("fault", `${fault} at ${site.step} ${occurrence}`)
    }
    return fault
  }

  /** Wakes a process after some time, or at once on a signal. */
  sleep(process: SimProcess, micros: number, signal: AbortSignal | undefined): Promise<void> {
    if (!process.isAlive) return new Promise(() => undefined)
    return new Promise((resolve) => {
      const wake = (): void => {
        event.isCancelled = true
        signal?.removeEventListener("abort", wake)
        if (!process.isAlive) return
        this.record("sleep", String(micros))
        resolve()
      }
      const event = this.scheduler.schedule(signal?.aborted === true ? 0 : Math.max(0, Math.ceil(micros)), wake)
      signal?.addEventListener("abort", wake)
    })
  }

  /** Takes a directory's lock for a process. */
  async lock(process: SimProcess, path: string): Promise<DirectoryLock | undefined> {
    const site = { operation: "lock", step: "env.lock", path } as const
    const isTaken = await this.call(process, site, {
      perform: () => {
        this.image.makeDirectory(path)
        if (this.#locks.has(path)) return false
        this.#locks.set(path, process)
        return true
      },
    })
    if (!isTaken) return undefined
    return { release: () => this.call(process, site, { perform: () => void this.#locks.delete(path) }) }
  }

  wallMicros(): number {
    return this.#wallOffset + this.scheduler.now
  }

  randomUint32(): number {
    const value = this.#chances.uint32()
    this.record("random", String(value))
    return value
  }

  get scopes(): ScopeProver | undefined {
    return this.#scopes
  }

  /** The threads that a process may start. Their chances are their own, so that those of the disk do not depend on them. */
  threadsOf(process: SimProcess): Threads | undefined {
    if (this.#threadProgram === undefined) return undefined
    return new SimThreads(this, () => process.isAlive, this.#threadProgram, this.#seed * 31 + process.number)
  }

  #settle<T>(
    process: SimProcess,
    site: CallSite,
    effect: CallEffect<T>,
    fault: FaultKind | undefined,
    resolve: (value: T) => void,
    reject: (error: Error) => void,
    isHeardAtOnce = false,
  ): void {
    const what = `${site.step} ${site.operation} ${site.path} ${site.detail ?? ""}`
    if (fault === "crash-before" || fault === "kill-before") {
      effect.cutOff?.(this.#crashes)
      return fault === "crash-before" ? this.crash() : this.kill()
    }
    if (fault === "eio" || fault === "enospc") {
      effect.fail?.(this.#crashes)
      this.record("call", `${what} failed`)
      const errno = fault === "eio" ? "EIO" : "ENOSPC"
      const reason = fault === "eio" ? "i/o error" : "no space left on device"
      return reject(diskError({ operation: site.operation, path: site.path, errno, reason }))
    }
    let settle: () => void
    try {
      const value = effect.perform()
      this.record("call", `${what} ${describeValue(value)}`)
      settle = () => resolve(value)
    } catch (error) {
      if (!(error instanceof ImageError)) throw error
      const { errno, message } = error
      this.record("call", `${what} ${errno}`)
      settle = () => reject(diskError({ operation: site.operation, path: site.path, errno, reason: message }))
    }
    if (fault === "crash-after") return this.crash()
    if (fault === "kill-after") return this.kill()
    if (!isHeardAtOnce && !this.isCalm && this.#latencies.chance(0.1)) {
      process.unheard++
      this.scheduler.schedule(this.#latencies.below(2000), () => {
        process.unheard--
        if (process.isAlive) settle()
      })
    } else settle()
  }

  #die(death: Death): void {
    const process = this.#process
    assert(process?.isAlive === true, "only a running process dies")
    process.isAlive = false
    this.record(death, "")
    for (const call of this.#crashes.shuffle([...process.pending])) {
      call.event.isCancelled = true
      const fate = this.#crashes.float()
      if (fate < 0.3) call.effect.cutOff?.(this.#crashes)
      else if (fate < 0.6) performQuietly(call.effect)
    }
    process.pending.clear()
    for (const [path, holder] of this.#locks) if (holder === process) this.#locks.delete(path)
  }

  #latency(operation: DiskOperation): number {
    if (this.isCalm) return 0
    const isSync = operation === "sync" || operation === "sync directory"
    return 1 + this.#latencies.below(isSync ? 5000 : 200)
  }
}

/** A process of a simulated world. */
export class SimProcess implements CallingProcess {
  readonly world: SimWorld
  readonly number: number
  readonly env: SimEnv
  readonly pending = new Set<PendingCall>()
  isAlive = true
  /** Calls that are done and of which the process has not heard. */
  unheard = 0
  openFiles = 0

  constructor(world: SimWorld, number: number) {
    this.world = world
    this.number = number
    this.env = new SimEnv(world, this)
  }

  get image(): DiskImage {
    return this.world.image
  }

  call<T>(site: CallSite, effect: CallEffect<T>): Promise<T> {
    return this.world.call(this, site, effect)
  }

  callNow<T>(site: CallSite, effect: CallEffect<T>): T {
    return this.world.callNow(this, site, effect)
  }
}

/** The world as one simulated process sees it. */
export class SimEnv implements Env {
  readonly clock: Clock
  readonly timers: Timers
  readonly disk: Disk
  readonly scopes: ScopeProver | undefined
  readonly threads: Threads | undefined
  readonly turns: Turns
  readonly #world: SimWorld
  readonly #process: SimProcess

  constructor(world: SimWorld, process: SimProcess) {
    this.#world = world
    this.#process = process
    this.clock = { wallMicros: () => world.wallMicros(), monotonicMicros: () => world.scheduler.now }
    this.timers = { sleep: (micros, signal) => world.sleep(process, micros, signal) }
    this.disk = new SimDisk(process)
    this.scopes = world.scopes
    this.threads = world.threadsOf(process)
    this.turns = new ThreadTurns(() => world.sleep(process, 0, undefined))
  }

  randomUint32(): number {
    return this.#world.randomUint32()
  }

  lockDirectory(path: string): Promise<DirectoryLock | undefined> {
    return this.#world.lock(this.#process, path)
  }
}

function performQuietly(effect: CallEffect<unknown>): void {
  try {
    effect.perform()
  } catch (error) {
    if (!(error instanceof ImageError)) throw error
  }
}

function describeValue(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? value.join(",") : "done"
  return String(value)
}

/**
 * The door to the world: everything that decides (coordinator, log, file sources and sinks) reaches the clock, chance
 * and the disk only through an `Env`. `env/node` is the real one; `sim` has one in which a seed decides everything.
 *
 * Every disk call that the commit protocol makes names its protocol step (`at`). The real disk ignores the name; the
 * simulator and the chaos runner use it to crash, fail, drop or swap calls at that very step.
 */

/** A point of the commit protocol, such as `"log.commit.sync"`; each room lists its own in `steps.ts`. */
export type StepName = string

/** What time it is. */
export interface Clock {
  /** Microseconds since 1970-01-01T00:00:00Z. It may jump. */
  wallMicros(): number
  /** Microseconds since some moment. It never goes back. */
  monotonicMicros(): number
}

/** Waiting. */
export interface Timers {
  /** Resolves after the given time, or at once when `signal` aborts. */
  sleep(micros: number, signal?: AbortSignal): Promise<void>
}

/** The steps of a write that is durable when it is done. */
export interface DurableWriteSteps {
  readonly write: StepName
  readonly sync: StepName
}

/** An open file. All positions and lengths are in bytes. */
export interface DiskFile {
  /** Reads into `target` from `position`; gives how many bytes were read, less than `target.length` only at the end. */
  read(target: Uint8Array, position: number, at: StepName): Promise<number>
  /** Writes all of `source` at `position`. */
  write(source: Uint8Array, position: number, at: StepName): Promise<void>
  /** As `read`, done when it returns: for short reads that nobody can wait for. */
  readNow(target: Uint8Array, position: number, at: StepName): number
  /** As `write`, done when it returns. */
  writeNow(source: Uint8Array, position: number, at: StepName): void
  /** Returns when all that was written to the file survives a crash of the machine. A failure is final: never retry. */
  sync(at: StepName): Promise<void>
  /** As `write` and then `sync`, whose steps these are: in one call of the system where it has such a call. */
  writeDurably(source: Uint8Array, position: number, at: DurableWriteSteps): Promise<void>
  truncate(length: number, at: StepName): Promise<void>
  size(): Promise<number>
  /** As `DiskEntry.fileId`. */
  fileId(): Promise<string>
  close(): Promise<void>
}

/** What `stat` tells of a path. */
export interface DiskEntry {
  /** `"nowhere"`: a symbolic link that leads to nothing. */
  readonly kind: "file" | "directory" | "other" | "nowhere"
  readonly size: number
  /** Set where the path is a symbolic link; `kind` and `size` are those of what it leads to. */
  readonly isLink?: true
  /** Of a symbolic link to a file: that file's absolute path, without links. */
  readonly leadsTo?: string
  /**
   * Of a file: what tells it from all others that there are, whatever it is called (device and inode). One that was removed may have left
   * it to another.
   */
  readonly fileId?: string
  /** Of a file: when it was written to last, in µs since 1970. */
  readonly modifiedMicros?: number
}

/** How to open a file. */
export type OpenMode =
  /** It must exist. */
  | "read"
  /** Reading and writing; it must exist. */
  | "update"
  /** Reading and writing; it must not exist yet. */
  | "create"

/**
 * A disk. Paths are absolute, with `/` between names. Failures are `TidemarkError`s (`disk-full`, `disk-failed`) that
 * name the path; opening what does not exist gives `undefined`, so that absence is a value and not an exception.
 */
export interface Disk {
  /** Opens a file; `undefined` where it does not exist ("read", "update") or exists already ("create"). */
  open(path: string, mode: OpenMode, at: StepName): Promise<DiskFile | undefined>
  stat(path: string): Promise<DiskEntry | undefined>
  /** Whether there is something of that name, known when it returns: for those who ask so often that waiting would cost more. */
  isThereNow(path: string): boolean
  /** Names in a directory, sorted by code unit; empty where there is no such directory. */
  list(path: string): Promise<string[]>
  /** Makes a directory and its missing parents; nothing happens where there is one. */
  makeDirectory(path: string, at: StepName): Promise<void>
  /** Renames a file over whatever bears the new name. */
  rename(from: string, to: string, at: StepName): Promise<void>
  /** Removes a file; nothing happens where there is none. */
  remove(path: string, at: StepName): Promise<void>
  /** Returns when the directory's entries (names made, renamed, removed) survive a crash of the machine. */
  syncDirectory(path: string, at: StepName): Promise<void>
}

/** Held by the one process that works on a directory. */
export interface DirectoryLock {
  release(): Promise<void>
}

/** A value that is not an object, and that somebody gave. */
export type PrimitiveValue = null | boolean | number | bigint | string

/** A function's free names, as the JavaScript engine sees them: what they are proven to mean. */
export interface ScopeProver {
  /**
   * For each name: `true` where it is proven that the function's free variable of that name resolves to the global
   * object's own property and that this property still holds the genuine built-in of the engine.
   */
  areGenuineGlobals(fn: (...args: never[]) => unknown, names: readonly string[]): boolean
  /**
   * The value, in an array, of the variable of that name that the function captures, where it is proven that the variable
   * has this primitive value whenever the function is called from now on.
   */
  capturedConstant(fn: (...args: never[]) => unknown, name: string): readonly [PrimitiveValue] | undefined
}

/** What is told of a thread. */
export interface ThreadEvents {
  /** In the order in which the thread has sent them. */
  onMessage(message: unknown): void
  /** It has ended without being stopped, and sends nothing more. */
  onDeath(reason: string): void
}

/** A thread of this process. It runs the one program that its door was made for. */
export interface Thread {
  /** Sends it a message. Memory that is declared shared is shared, everything else is copied. */
  send(message: unknown): void
  /** Ends it, whatever it is doing. */
  stop(): Promise<void>
}

/** Threads that compute. What they do is a function of what they are sent. */
export interface Threads {
  /** How many this process can use at once: at least 1. */
  readonly parallelism: number
  /** Starts a thread with some data; `undefined` where this process may not. */
  start(data: unknown, events: ThreadEvents): Thread | undefined
}

/** A job's place on its thread. */
export interface Turn {
  /** To be asked before each piece of work: resolves when it may begin; `undefined` where it may begin at once. */
  next(): Promise<void> | undefined
  /** How long a piece should last at most. */
  pieceMicros(): number
  /** The job has ended. */
  leave(): void
}

/** The one thread on which the jobs of a process compute: whose piece of work is next. */
export interface Turns {
  /** Resolves when all that was ready before the call has been dealt with: for those who would keep it waiting for long. */
  pass(): Promise<void>
  /** A job begins. Those of priority `"latency"` overtake those of priority `"batch"`. */
  enter(priority: "latency" | "batch"): Turn
}

/** The world, as Tidemark sees it. */
export interface Env {
  readonly clock: Clock
  readonly timers: Timers
  readonly disk: Disk
  /** `undefined` where closures' scopes cannot be seen: then lambdas with free names run as closures. */
  readonly scopes: ScopeProver | undefined
  /** `undefined` where there is one thread only. */
  readonly threads: Threads | undefined
  readonly turns: Turns
  /** A random number in [0, 2³²) that no other process draws: for tokens, never for results. */
  randomUint32(): number
  /** Takes the lock of a directory, or gives `undefined` where another process (or job of this one) holds it. */
  lockDirectory(path: string): Promise<DirectoryLock | undefined>
}

/**
 * A disk whose calls go through an interceptor: the one place that knows how to get between a program and its disk.
 * The mutations of the simulator and the deaths of the chaos runner are interceptors.
 */
import type { Disk, DiskEntry, DiskFile, DurableWriteSteps, Env, OpenMode, StepName } from "../env/env.ts"
import type { DiskOperation } from "./faults.ts"

/** A call of a protocol step. */
export interface InterceptedCall {
  readonly operation: DiskOperation
  readonly step: StepName
  readonly path: string
}

/** Gets between a program and its disk. */
export interface Interceptor {
  /** A call that changes something and gives nothing: `perform` does it. */
  change(call: InterceptedCall, perform: () => Promise<void>): Promise<void>
  /** A call that gives something: `perform` does it. */
  ask<T>(call: InterceptedCall, perform: () => Promise<T>): Promise<T>
  /** A file is closed: `perform` does it. */
  close(perform: () => Promise<void>): Promise<void>
}

/** The same world with another disk. */
export function withDisk(env: Env, disk: Disk): Env {
  return {
    clock: env.clock,
    timers: env.timers,
    disk,
    scopes: env.scopes,
    threads: env.threads,
    turns: env.turns,
    randomUint32: () => env.randomUint32(),
    lockDirectory: (path) => env.lockDirectory(path),
  }
}

/** A disk with an interceptor before it. */
export class InterceptedDisk implements Disk {
  readonly #disk: Disk
  readonly #interceptor: Interceptor

  constructor(disk: Disk, interceptor: Interceptor) {
    this.#disk = disk
    this.#interceptor = interceptor
  }

  async open(path: string, mode: OpenMode, at: StepName): Promise<DiskFile | undefined> {
    const call = { operation: mode === "create" ? "create" : "open", step: at, path } as const
    const file = await this.#interceptor.ask(call, () => this.#disk.open(path, mode, at))
    return file === undefined ? undefined : new InterceptedFile(file, path, this.#interceptor)
  }

  stat(path: string): Promise<DiskEntry | undefined> {
    return this.#disk.stat(path)
  }

  isThereNow(path: string): boolean {
    return this.#disk.isThereNow(path)
  }

  list(path: string): Promise<string[]> {
    return this.#disk.list(path)
  }

  makeDirectory(path: string, at: StepName): Promise<void> {
    const call = { operation: "make directory", step: at, path } as const
    return this.#interceptor.change(call, () => this.#disk.makeDirectory(path, at))
  }

  rename(from: string, to: string, at: StepName): Promise<void> {
    const call = { operation: "rename", step: at, path: from } as const
    return this.#interceptor.change(call, () => this.#disk.rename(from, to, at))
  }

  remove(path: string, at: StepName): Promise<void> {
    return this.#interceptor.change({ operation: "remove", step: at, path }, () => this.#disk.remove(path, at))
  }

  syncDirectory(path: string, at: StepName): Promise<void> {
    const call = { operation: "sync directory", step: at, path } as const
    return this.#interceptor.change(call, () => this.#disk.syncDirectory(path, at))
  }
}

class InterceptedFile implements DiskFile {
  readonly #file: DiskFile
  readonly #path: string
  readonly #interceptor: Interceptor

  constructor(file: DiskFile, path: string, interceptor: Interceptor) {
    this.#file = file
    this.#path = path
    this.#interceptor = interceptor
  }

  read(target: Uint8Array, position: number, at: StepName): Promise<number> {
    return this.#interceptor.ask({ operation: "read", step: at, path: this.#path }, () =>
      this.#file.read(target, position, at),
    )
  }

  write(source: Uint8Array, position: number, at: StepName): Promise<void> {
    // The caller may use its buffer again when the write seems done; an interceptor may do it only later.
    const bytes = source.slice()
    const call = { operation: "write", step: at, path: this.#path } as const
    return this.#interceptor.change(call, () => this.#file.write(bytes, position, at))
  }

  readNow(target: Uint8Array, position: number, at: StepName): number {
    return this.#file.readNow(target, position, at)
  }

  writeNow(source: Uint8Array, position: number, at: StepName): void {
    this.#file.writeNow(source, position, at)
  }

  sync(at: StepName): Promise<void> {
    return this.#interceptor.change({ operation: "sync", step: at, path: this.#path }, () => this.#file.sync(at))
  }

  async writeDurably(source: Uint8Array, position: number, at: DurableWriteSteps): Promise<void> {
    await this.write(source, position, at.write)
    await this.sync(at.sync)
  }

  truncate(length: number, at: StepName): Promise<void> {
    const call = { operation: "truncate", step: at, path: this.#path } as const
    return this.#interceptor.change(call, () => this.#file.truncate(length, at))
  }

  size(): Promise<number> {
    return this.#file.size()
  }

  fileId(): Promise<string> {
    return this.#file.fileId()
  }

  close(): Promise<void> {
    return this.#interceptor.close(() => this.#file.close())
  }
}

/**
 * The `Disk` of a simulated process: each call is a `CallEffect` on the world's image.
 */
import { assert } from "../base/assert.ts"
import { crc32c } from "../base/crc32c.ts"
import type { Prng } from "../base/prng.ts"
import type { Disk, DiskEntry, DiskFile, DurableWriteSteps, OpenMode, StepName } from "../env/env.ts"
import { ImageError, type DiskImage } from "./disk-image.ts"
import type { FileNode } from "./file-node.ts"
import type { CallEffect, CallingProcess, CallSite } from "./sim-call.ts"

/** The disk as one simulated process sees it. */
export class SimDisk implements Disk {
  readonly #process: CallingProcess
  readonly #image: DiskImage

  constructor(process: CallingProcess) {
    this.#process = process
    this.#image = process.image
  }

  async open(path: string, mode: OpenMode, at: StepName): Promise<DiskFile | undefined> {
    const operation = mode === "create" ? "create" : "open"
    const node = await this.#call({ operation, step: at, path }, () => this.#openNode(path, mode))
    return node === undefined ? undefined : new SimFile(this.#process, { path, node, mode })
  }

  stat(path: string): Promise<DiskEntry | undefined> {
    return this.#call({ operation: "stat", step: "disk.stat", path }, () => {
      const node = this.#image.find(path)
      if (node === undefined) return undefined
      if (node.kind === "directory") return { kind: node.kind, size: 0 }
      // No time passes on this disk but by changes.
      return { kind: node.kind, size: node.length, fileId: node.id, modifiedMicros: node.version }
    })
  }

  isThereNow(path: string): boolean {
    const site = { operation: "stat", step: "disk.stat", path } as const
    return this.#process.callNow(site, { perform: () => this.#image.find(path) !== undefined })
  }

  list(path: string): Promise<string[]> {
    return this.#call({ operation: "list", step: "disk.list", path }, () => this.#image.list(path))
  }

  makeDirectory(path: string, at: StepName): Promise<void> {
    return this.#change({ operation: "make directory", step: at, path }, () => this.#image.makeDirectory(path))
  }

  rename(from: string, to: string, at: StepName): Promise<void> {
    const site = { operation: "rename", step: at, path: from, detail: `to ${to}` } as const
    return this.#change(site, () => this.#image.rename(from, to))
  }

  remove(path: string, at: StepName): Promise<void> {
    return this.#change({ operation: "remove", step: at, path }, () => this.#image.remove(path))
  }

  syncDirectory(path: string, at: StepName): Promise<void> {
    const mark = this.#image.mark()
    const site = { operation: "sync directory", step: at, path } as const
    return this.#call(site, () => this.#image.syncDirectory(path, mark))
  }

  #openNode(path: string, mode: OpenMode): FileNode | undefined {
    if (mode === "create") return this.#image.createFile(path)
    const node = this.#image.find(path)
    if (node?.kind === "directory") throw new ImageError("EISDIR", "illegal operation on a directory")
    return node
  }

  #call<T>(site: CallSite, perform: () => T): Promise<T> {
    return this.#process.call(site, { perform })
  }

  /** A change of directories that, when it fails or is cut off, may have been done all the same. */
  #change(site: CallSite, perform: () => void): Promise<void> {
    const performPerhaps = (prng: Prng): void => {
      if (!prng.chance(0.5)) return
      try {
        perform()
      } catch (error) {
        if (!(error instanceof ImageError)) throw error
      }
    }
    return this.#process.call(site, { perform, fail: performPerhaps, cutOff: performPerhaps })
  }
}

/** An open file of a simulated process. */
class SimFile implements DiskFile {
  readonly #process: CallingProcess
  readonly #path: string
  readonly #node: FileNode
  readonly #mode: OpenMode
  #isOpen = true

  constructor(process: CallingProcess, file: { path: string; node: FileNode; mode: OpenMode }) {
    this.#process = process
    this.#path = file.path
    this.#node = file.node
    this.#mode = file.mode
    process.openFiles++
  }

  read(target: Uint8Array, position: number, at: StepName): Promise<number> {
    return this.#call(...this.#reading(target, position, at))
  }

  readNow(target: Uint8Array, position: number, at: StepName): number {
    return this.#callNow(...this.#reading(target, position, at))
  }

  #reading(target: Uint8Array, position: number, step: StepName): [CallSite, CallEffect<number>] {
    const detail = `${target.length} at ${position}`
    const perform = (): number => {
      const bytes = this.#node.view().subarray(position, position + target.length)
      target.set(bytes)
      return bytes.length
    }
    return [{ operation: "read", step, path: this.#path, detail }, { perform }]
  }

  write(source: Uint8Array, position: number, at: StepName): Promise<void> {
    return this.#call(...this.#writing(source, position, at))
  }

  writeNow(source: Uint8Array, position: number, at: StepName): void {
    this.#callNow(...this.#writing(source, position, at))
  }

  #writing(source: Uint8Array, position: number, step: StepName): [CallSite, CallEffect<void>] {
    assert(this.#mode !== "read", "a file opened for reading is not written")
    const detail = `${source.length} at ${position} crc ${crc32c(source)}`
    const write = (bytes: Uint8Array): void => {
      if (bytes.length > 0) this.#node.write(position, bytes, this.#process.image.nextSequence())
    }
    const writePart = (prng: Prng): void => write(source.subarray(0, prng.below(source.length + 1)))
    const effect = { perform: () => write(source), fail: writePart, cutOff: writePart }
    return [{ operation: "write", step, path: this.#path, detail }, effect]
  }

  sync(at: StepName): Promise<void> {
    const mark = this.#process.image.mark()
    const effect = {
      perform: () => this.#node.sync(mark),
      fail: (prng: Prng) => this.#node.failSync(mark, prng),
    }
    return this.#call({ operation: "sync", step: at, path: this.#path }, effect)
  }

  /** Two calls, between which everything may happen that may happen within the one that a real disk has. */
  async writeDurably(source: Uint8Array, position: number, at: DurableWriteSteps): Promise<void> {
    await this.write(source, position, at.write)
    await this.sync(at.sync)
  }

  truncate(length: number, at: StepName): Promise<void> {
    assert(this.#mode !== "read", "a file opened for reading is not truncated")
    const perform = (): void => this.#node.truncate(length, this.#process.image.nextSequence())
    return this.#call({ operation: "truncate", step: at, path: this.#path, detail: String(length) }, { perform })
  }

  size(): Promise<number> {
    return this.#call({ operation: "size", step: "file.size", path: this.#path }, { perform: () => this.#node.length })
  }

  fileId(): Promise<string> {
    const site = { operation: "stat", step: "file.id", path: this.#path } as const
    return this.#call(site, { perform: () => this.#node.id })
  }

  async close(): Promise<void> {
    // A second close of the same handle would, on a real system, close somebody else's file.
    assert(this.#isOpen, "a file is closed once")
    this.#isOpen = false
    this.#process.openFiles--
    const site = { operation: "close", step: "file.close", path: this.#path } as const
    await this.#process.call(site, { perform: () => undefined })
  }

  #call<T>(site: CallSite, effect: CallEffect<T>): Promise<T> {
    assert(this.#isOpen, "a closed file is not used")
    return this.#process.call(site, effect)
  }

  #callNow<T>(site: CallSite, effect: CallEffect<T>): T {
    assert(this.#isOpen, "a closed file is not used")
    return this.#process.callNow(site, effect)
  }
}

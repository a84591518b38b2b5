/** A followed input on a real disk, read as the runtime reads it, by processes that end: for tests. Its clock goes by sleeps alone. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ByteReader, ByteWriter } from "../../../base/bytes.ts"
import { Arena } from "../../../batch/arena.ts"
import { START, type Position } from "../../../batch/position.ts"
import { schema } from "../../../batch/schema.ts"
import { t } from "../../../batch/types.ts"
import type { PartitionReader, RecordPlace, Source, SourceBinding, SourceNotice } from "../../../connect/source.ts"
import type { Disk, DiskFile, Env } from "../../../env/env.ts"
import { nodeEnv } from "../../../env/node/node-env.ts"

/** What lines hold. */
const Line = schema({ n: t.int32 })

/** The text of lines with these numbers, as JSON. */
export const lines = (...numbers: readonly number[]): string => numbers.map((n) => `{"n":${n}}\n`).join("")

/** A directory that ends with the test, with a clock that no process outlives. */
export class FollowWorld {
  readonly directory = mkdtempSync(join(tmpdir(), "tidemark-follow-"))
  /** What others do while somebody waits for the disk: called before each call of it that looks or reads. */
  meanwhile: () => void = () => undefined
  #micros = 1_000_000

  path(name: string): string {
    return join(this.directory, name)
  }

  append(name: string, text: string): void {
    mkdirSync(join(this.path(name), ".."), { recursive: true })
    appendFileSync(this.path(name), text)
  }

  /** Time passes. */
  pass(seconds: number): void {
    this.#micros += seconds * 1_000_000
  }

  env(): Env {
    const real = nodeEnv()
    const clock = { wallMicros: () => this.#micros, monotonicMicros: () => this.#micros }
    const sleep = (micros: number) => {
      this.#micros += micros
      return Promise.resolve()
    }
    return { ...real, clock, timers: { sleep }, disk: this.#shared(real.disk) }
  }

  /** The disk, which others use as well. */
  #shared(real: Disk): Disk {
    const after = async <T>(call: () => Promise<T>): Promise<T> => {
      this.meanwhile()
      return await call()
    }
    const file = (opened: DiskFile): DiskFile => ({
      read: (target, position, at) => after(() => opened.read(target, position, at)),
      write: (source, position, at) => opened.write(source, position, at),
      readNow: (target, position, at) => opened.readNow(target, position, at),
      writeNow: (source, position, at) => opened.writeNow(source, position, at),
      sync: (at) => opened.sync(at),
      writeDurably: (source, position, at) => opened.writeDurably(source, position, at),
      truncate: (length, at) => opened.truncate(length, at),
      size: () => after(() => opened.size()),
      fileId: () => after(() => opened.fileId()),
      close: () => opened.close(),
    })
    return {
      open: (path, mode, at) =>
        after(async () => {
          const opened = await real.open(path, mode, at)
          return opened && file(opened)
        }),
      stat: (path) => after(() => real.stat(path)),
      isThereNow: (path) => real.isThereNow(path),
      list: (path) => after(() => real.list(path)),
      makeDirectory: (path, at) => real.makeDirectory(path, at),
      rename: (from, to, at) => real.rename(from, to, at),
      remove: (path, at) => real.remove(path, at),
      syncDirectory: (path, at) => real.syncDirectory(path, at),
    }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** What is committed: rows, a position, and the changes of state that led there. */
export interface Committed {
  readonly rows: readonly unknown[]
  readonly position: Position
  readonly changes: readonly Uint8Array[]
}

export const NOTHING: Committed = { rows: [], position: START, changes: [] }

/** A process that follows. */
export class Follower {
  readonly notices: SourceNotice[] = []
  readonly rows: unknown[] = []
  readonly bad: (RecordPlace & { readonly raw: string })[] = []
  readonly #arena: Arena
  readonly #source: Source
  readonly #reader: PartitionReader
  #committed: Committed
  #position: Position

  private constructor(arena: Arena, source: Source, reader: PartitionReader, from: Committed) {
    this.#arena = arena
    this.#source = source
    this.#reader = reader
    this.#committed = from
    this.#position = from.position
  }

  static async start(world: FollowWorld, binding: SourceBinding, from: Committed = NOTHING): Promise<Follower> {
    const arena = new Arena({ maxBytes: 1 << 24 })
    const context = { env: world.env(), arena, schema: Line, input: "lines", baseDirectory: world.directory }
    const source = await binding.openSource(context)
    const [partition] = await source.partitions()
    for (const changes of from.changes) source.state!.applyChanges(new ByteReader(changes))
    return new Follower(arena, source, await source.open(partition!, 0, from.position), from)
  }

  /** Reads until several looks have found nothing. */
  async drain(rowsAtOnce = 65_536): Promise<readonly unknown[]> {
    for (let quiet = 0; quiet < 3;) {
      const aborted = AbortSignal.timeout(0)
      const wait = this.#reader.whenReadable!(aborted)
      if (wait !== undefined) await Promise.race([wait, new Promise((resolve) => setTimeout(resolve, 5))])
      quiet = (await this.read(rowsAtOnce)) ? 0 : quiet + 1
    }
    return this.rows
  }

  /** One read; tells whether it gave anything. */
  async read(rows: number): Promise<boolean> {
    const untilOffset = (Math.floor(this.#position.offset / 4096) + 1) * 4096
    const taken = await this.#reader.read({ rows, untilOffset })
    this.notices.push(...(taken.notices ?? []))
    for (const { position, raw } of taken.bad) this.bad.push({ ...this.#reader.placeOf!(position)!, raw })
    this.rows.push(...(taken.batch?.toRows() ?? []))
    const isForward = taken.next.offset > this.#position.offset
    this.#position = taken.next
    taken.release()
    return isForward
  }

  /** What a commit record now has, and all before it. */
  commit(): Committed {
    const out = new ByteWriter()
    this.#source.state!.writeChanges(out)
    const { rows, changes } = this.#committed
    this.#committed = {
      rows: [...rows, ...this.rows.splice(0)],
      position: this.#position,
      changes: [...changes, out.finish()],
    }
    return this.#committed
  }

  /** All of the state, as a snapshot has it. */
  snapshot(): Committed {
    const out = new ByteWriter()
    const { rows, position } = this.commit()
    this.#source.state!.writeAll(out)
    return { rows, position, changes: [out.finish()] }
  }

  async end(): Promise<void> {
    await this.#reader.close()
    await this.#source.close()
    if (this.#arena.usedBytes !== 0) throw new Error("a batch was not released")
  }
}

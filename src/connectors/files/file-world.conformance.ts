/**
 * Drivers of the conformance suites for files of any format: files with known records in a world, and a reader of
 * published parts that knows nothing of the sink but its promise.
 */
import { crc32c } from "../../base/crc32c.ts"
import { Prng } from "../../base/prng.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { ConformanceRow, SinkConformanceDriver } from "../../connect/sink-trial.conformance.ts"
import type { ExpectedRecord, SourceConformanceDriver } from "../../connect/source.conformance.ts"
import type { SinkBinding } from "../../connect/sink.ts"
import type { SourceBinding } from "../../connect/source.ts"
import type { ConformanceWorld } from "../../connect/world.conformance.ts"

/** The directory that relative paths are relative to. */
export const BASE_DIRECTORY = "/work"

/** Records up to this length are read. */
export const MAX_RECORD_BYTES = 100_000

/** A directory of a `FileWorld`: its entries now, and those that survive a crash. */
interface DirectoryView {
  readonly kind: "directory"
  readonly entries: { keys(): Iterable<string>; delete(name: string): boolean }
  readonly durable: { delete(name: string): boolean }
}

/** A file of a `FileWorld`. */
interface FileView {
  readonly kind: "file"
  view(): Uint8Array
}

/** A world whose disk can be looked at and changed from outside. `SimWorld` of `sim` is one. */
export interface FileWorld extends ConformanceWorld {
  readonly image: {
    find(path: string): FileView | DirectoryView | undefined
    readFile(path: string): Uint8Array | undefined
    list(path: string): string[]
    install(path: string, bytes: Uint8Array): void
    installDirectory(path: string): DirectoryView
    remove(path: string): void
  }
}

/** Makes worlds. */
export type CreateWorld<W extends FileWorld> = (seed: number) => W

/** Makes the base directory in a world with nothing in it. */
export function withBaseDirectory<W extends FileWorld>(world: W): W {
  world.image.installDirectory(BASE_DIRECTORY)
  return world
}

/** The text of a file, or `undefined`. */
export function fileText(world: FileWorld, path: string): string | undefined {
  const bytes = world.image.readFile(path)
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8")
}

/** Puts a text file in place. */
export function installText(world: FileWorld, path: string, text: string): void {
  world.image.install(path, Buffer.from(text))
}

/** How a format's published parts are read. */
export interface PublishedFormat {
  readonly extension: string
  /** The rows of a part; it throws where the part is not whole. */
  parse(bytes: Buffer): ConformanceRow[]
}

/** The rows of a published part of JSON lines. */
export function parseJsonLines(bytes: Buffer): ConformanceRow[] {
  const text = bytes.toString("utf8")
  if (!text.endsWith("\n")) throw new Error("The part does not end with a whole line.")
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as ConformanceRow)
}

/** The driver of a file sink that writes to `out/results`. */
export function fileSinkDriver<W extends FileWorld>(
  createWorld: CreateWorld<W>,
  binding: SinkBinding,
  format: PublishedFormat,
): SinkConformanceDriver<W> {
  const target = `${BASE_DIRECTORY}/out/results`
  const parts = new RegExp(`^part-\\d{5}\\.${format.extension}$`)
  /** Parts are read again and again: what was parsed is found by content. */
  const parsed = new Map<string, ConformanceRow[]>()
  const rowsOfPart = (bytes: Uint8Array): ConformanceRow[] => {
    const key = `${bytes.length}:${crc32c(bytes)}`
    const rows = parsed.get(key) ?? format.parse(Buffer.from(bytes))
    parsed.set(key, rows)
    return rows
  }
  const rowsIn = (world: FileWorld, directory: string): ConformanceRow[] => {
    const names = world.image.list(directory).filter((name) => parts.test(name))
    return names.flatMap((name) => {
      const file = world.image.find(`${directory}/${name}`)
      if (file?.kind !== "file") throw new Error(`${name} is no file.`)
      return rowsOfPart(file.view())
    })
  }
  return {
    createWorld: (seed) => withBaseDirectory(createWorld(seed)),
    baseDirectory: BASE_DIRECTORY,
    binding,
    published: (world) => rowsIn(world, target),
    takeAway(world) {
      const directory = world.image.installDirectory(target)
      for (const name of [...directory.entries.keys()].filter((entry) => parts.test(entry))) {
        directory.entries.delete(name)
        directory.durable.delete(name)
      }
    },
    setAside(world) {
      const names = world.image.list(`${BASE_DIRECTORY}/out`).filter((name) => name.startsWith("results.superseded-"))
      // A reset that died and was done again has spread the parts over two directories.
      return names.flatMap((name) => rowsIn(world, `${BASE_DIRECTORY}/out/${name}`)).sort((a, b) => a.id - b.id)
    },
  }
}

/** How a format writes what the source suite reads. */
export interface WrittenFormat {
  readonly extension: string
  /** What stands before the first record. */
  readonly header: string
  record(id: number, text: string): string
  /** Lines that are no records of `SOURCE_SCHEMA`, each with its line end. */
  readonly bad: readonly string[]
}

/** The schema of the files that the source suite reads. */
export const SOURCE_SCHEMA = schema({ id: t.int32, text: t.string })

/** A file's text, and the records in it. */
interface WrittenFile {
  readonly text: string
  readonly records: readonly ExpectedRecord[]
}

/** Writes files record by record, keeping what they must be read as. */
class FileWriter {
  readonly #format: WrittenFormat
  readonly #records: ExpectedRecord[] = []
  #text: string
  #offset: number
  #ordinal: number

  constructor(format: WrittenFormat) {
    this.#format = format
    this.#text = format.header
    this.#offset = Buffer.byteLength(format.header)
    this.#ordinal = linesOf(format.header)
  }

  record(id: number, text: string): this {
    const written = this.#format.record(id, text)
    return this.#add(written, Buffer.byteLength(written) > MAX_RECORD_BYTES ? "bad" : { id, text })
  }

  bad(line: string): this {
    return this.#add(line, "bad")
  }

  blank(): this {
    return this.#add("\n", undefined)
  }

  /** The file, with or without its last line end. */
  finish(lastLineEnd = true): WrittenFile {
    return { text: lastLineEnd ? this.#text : this.#text.slice(0, -1), records: this.#records }
  }

  #add(written: string, row: ExpectedRecord["row"] | undefined): this {
    if (row !== undefined) this.#records.push({ offset: this.#offset, ordinal: this.#ordinal, row })
    this.#text += written
    this.#offset += Buffer.byteLength(written)
    this.#ordinal += linesOf(written)
    return this
  }
}

function linesOf(text: string): number {
  return text.split("\n").length - 1
}

/** Files of every shape: empty, without records, without a last line end, and larger than two windows. */
function writeFiles(format: WrittenFormat): ReadonlyMap<string, WrittenFile> {
  const files = new Map<string, WrittenFile>()
  const write = (name: string, file: WrittenFile): void => void files.set(`trips/${name}.${format.extension}`, file)
  write("a-empty", { text: "", records: [] })
  write("b-no-records", new FileWriter(format).finish())
  write("c-small", new FileWriter(format).record(1, "one").blank().record(2, "zwö 🦉").record(3, "").finish())
  const bad = new FileWriter(format).record(1, "before")
  for (const line of format.bad) bad.bad(line).record(7, "between")
  write("d-bad", bad.blank().blank().finish())
  write("e-no-line-end", new FileWriter(format).record(1, "one").record(2, "the last").finish(false))
  write("f-large", writeLarge(format))
  return files
}

/** Some 600 KB of records: most short, one longer than a third of what is read at a time, two longer than is allowed. */
function writeLarge(format: WrittenFormat): WrittenFile {
  const prng = new Prng(42)
  const writer = new FileWriter(format)
  const lengths = new Map([
    [500, 90_000],
    [1_234, 120_000],
    [1_999, 300_000],
  ])
  for (let id = 0; id < 2_000; id++) {
    const length = lengths.get(id) ?? prng.below(60)
    writer.record(id, "0123456789ä".repeat(Math.ceil(length / 10)).slice(0, length))
    if (prng.chance(0.01)) writer.bad(prng.pick(format.bad))
    if (prng.chance(0.01)) writer.blank()
  }
  return writer.finish()
}

/** How files are compressed. */
export interface Packing {
  /** Of the files' names. */
  readonly ending: string
  /** Packs may stand one behind the other. */
  pack(bytes: Uint8Array): Uint8Array
  unpack(bytes: Uint8Array): Uint8Array
}

const NO_PACKING: Packing = { ending: "", pack: (bytes) => bytes, unpack: (bytes) => bytes }

/** The driver of a file source that reads files of one format. */
export function fileSourceDriver<W extends FileWorld>(
  createWorld: CreateWorld<W>,
  bind: (pattern: string) => SourceBinding,
  format: WrittenFormat,
  { ending, pack, unpack }: Packing = NO_PACKING,
): SourceConformanceDriver<W> {
  const files = new Map([...writeFiles(format)].map(([id, file]) => [id + ending, file]))
  const pathOf = (id: string): string => `${BASE_DIRECTORY}/${id}`
  const change = (world: FileWorld, id: string, edit: (text: string) => string): void => {
    const text = edit(Buffer.from(unpack(world.image.readFile(pathOf(id))!)).toString("utf8"))
    world.image.remove(pathOf(id))
    world.image.install(pathOf(id), pack(Buffer.from(text)))
  }
  return {
    createWorld(seed) {
      const world = withBaseDirectory(createWorld(seed))
      for (const [id, { text }] of files) world.image.install(pathOf(id), pack(Buffer.from(text)))
      return world
    },
    baseDirectory: BASE_DIRECTORY,
    binding: bind(`trips/*.${format.extension}${ending}`),
    schema: SOURCE_SCHEMA,
    expected: new Map([...files].map(([id, { records }]) => [id, records])),
    changes: [
      {
        name: "begins with other bytes",
        code: "source-changed",
        apply: (world, id) => change(world, id, (text) => text.replace("one", "two")),
      },
      {
        name: "has become shorter than what was read",
        code: "source-changed",
        apply: (world, id) => change(world, id, (text) => text.slice(0, format.header.length + 2)),
      },
      { name: "has vanished", code: "source-missing", apply: (world, id) => world.image.remove(pathOf(id)) },
      {
        name: "is a directory now",
        code: "source-unreadable",
        apply(world, id) {
          world.image.remove(pathOf(id))
          world.image.installDirectory(pathOf(id))
        },
      },
    ],
    grow(world, id) {
      const { text } = files.get(id)!
      const before = world.image.readFile(pathOf(id))!
      world.image.remove(pathOf(id))
      world.image.install(pathOf(id), Buffer.concat([before, pack(Buffer.from(format.record(99, "appended")))]))
      const ordinal = linesOf(text)
      const offset = Buffer.byteLength(text)
      return [{ offset, ordinal, row: { id: 99, text: "appended" } }]
    },
  }
}

/**
 * One look at the files that a followed input may read: what its patterns match now, in the order in which new ones are
 * taken up, and what lies beside a file under names of earlier generations.
 *
 * Names by which programs say that a file is not ready are left out where a wildcard matches them: those that begin with a dot or an
 * underscore, and those that end in `.tmp`, `.temp`, `.part`, `.partial`, `.inprogress`, `.crdownload`, `.swp` or a tilde. So are compressed
 * files, whose content cannot be taken up in the middle.
 *
 * | name | an earlier generation of `app.log` |
 * |---|---|
 * | `app.log.1`, `app.log-20261127`, `app.log.2026-11-27` | yes: a number or a date behind it |
 * | `app.1.log`, `app-2026-11-27.log` | yes: a number or a date before its extension |
 * | `app.log.gz`, `app.log.1.gz`, `app.log.bak` | no |
 */
import { posix } from "node:path"
import type { SourceContext } from "../../../connect/source.ts"
import type { Disk, DiskEntry } from "../../../env/env.ts"
import { compressionOf } from "../decompressor.ts"
import { findFiles } from "../glob-files.ts"
import { hasWildcards } from "../glob.ts"
import { nameUnreadable, notAFile, fileLabel } from "../source-errors.ts"

/** In which order files are read that are new at one look. */
export type FollowOrder = "name" | "modified"

/** A file as it was seen. */
export interface SeenFile {
  /** The path as matched, or beside such a one. */
  readonly id: string
  readonly fileId: string
  readonly size: number
  readonly modifiedMicros: number
}

const UNREADY = /^[._]|(?:\.(?:tmp|temp|part|partial|inprogress|crdownload|swp)|~)$/i
const GENERATION = /^[.-]\d[\dT:_.-]*$/

/** Whether a name says that the file is not ready to be read. */
export function isUnready(name: string): boolean {
  return UNREADY.test(name)
}

/** The names of files of which a name may be that of an earlier generation, in the same directory. */
export function basesOf(name: string): string[] {
  const bases: string[] = []
  if (!/[.-]\d/.test(name)) return bases
  const extension = posix.extname(name)
  const stem = name.slice(0, name.length - extension.length)
  for (let at = 1; at < name.length; at++) {
    if (name[at] !== "." && name[at] !== "-") continue
    if (GENERATION.test(name.slice(at))) bases.push(name.slice(0, at))
    if (at < stem.length && GENERATION.test(stem.slice(at))) bases.push(stem.slice(0, at) + extension)
  }
  return bases
}

/** So many files of a directory are looked at at once: the sooner, the less is renamed meanwhile. */
const AT_ONCE = 32

/** What is in a directory. Files are looked at when they are asked for, once. */
export class SeenDirectory {
  readonly #disk: Disk
  readonly #path: string
  /** As matched, `""` for the base directory itself. */
  readonly #id: string
  readonly #names: readonly string[]
  #byBase: ReadonlyMap<string, readonly string[]> | undefined
  readonly #seen = new Map<string, SeenFile | undefined>()
  /** Whether a file was not there any more when it was looked at: what was seen does not belong together. */
  isTorn = false

  private constructor(disk: Disk, path: string, id: string, names: readonly string[]) {
    this.#disk = disk
    this.#path = path
    this.#id = id
    this.#names = names
  }

  static async list(disk: Disk, baseDirectory: string, id: string): Promise<SeenDirectory> {
    const path = posix.resolve(baseDirectory, id)
    return new SeenDirectory(disk, path, id === "." ? "" : id, await disk.list(path))
  }

  async find(fileId: string): Promise<SeenFile | undefined> {
    for (let from = 0; from < this.#names.length; from += AT_ONCE) {
      const seen = await Promise.all(this.#names.slice(from, from + AT_ONCE).map((name) => this.#look(name)))
      const found = seen.find((each) => each?.fileId === fileId)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Earlier generations of a file of the directory, the oldest first. */
  async generationsOf(id: string): Promise<readonly SeenFile[]> {
    this.#byBase ??= byBase(this.#names)
    const files: SeenFile[] = []
    const names = this.#byBase.get(posix.basename(id)) ?? []
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const seen = await Promise.all(names.slice(from, from + AT_ONCE).map((name) => this.#look(name)))
      for (const each of seen) if (each !== undefined) files.push(each)
    }
    const number = (file: SeenFile) => Number(/[.-](\d+)$/.exec(file.id)?.[1] ?? 0)
    return files.sort((one, other) => one.modifiedMicros - other.modifiedMicros || number(other) - number(one))
  }

  async #look(name: string): Promise<SeenFile | undefined> {
    if (this.#seen.has(name)) return this.#seen.get(name)
    const entry = await this.#disk.stat(`${this.#path}/${name}`)
    if (entry === undefined && !isUnready(name)) this.isTorn = true
    const { kind, fileId, size = 0, modifiedMicros = 0, isLink = false } = entry ?? {}
    const isFile = kind === "file" && fileId !== undefined && !isLink
    const seen = isFile ? { id: posix.join(this.#id, name), fileId, size, modifiedMicros } : undefined
    this.#seen.set(name, seen)
    return seen
  }
}

function byBase(names: readonly string[]): Map<string, string[]> {
  const generations = new Map<string, string[]>()
  for (const name of names) {
    if (compressionOf(name, undefined) !== "none") continue
    for (const base of basesOf(name)) {
      const own = generations.get(base)
      if (own === undefined) generations.set(base, [name])
      else own.push(name)
    }
  }
  return generations
}

/** A link's file is known by where it lies: there are its generations. */
function realId(id: string, { leadsTo }: DiskEntry, baseDirectory: string): string {
  if (leadsTo === undefined) return id
  return leadsTo.startsWith(`${baseDirectory}/`) ? leadsTo.slice(baseDirectory.length + 1) : leadsTo
}

/** Looks at files. */
export class FollowScan {
  readonly #context: SourceContext
  readonly #globs: readonly string[]
  readonly #order: FollowOrder
  /** Whether compressed files are among what matches. */
  hasCompressed = false

  constructor(context: SourceContext, globs: readonly string[], order: FollowOrder) {
    this.#context = context
    this.#globs = globs
    this.#order = order
  }

  /** The files that match, each once, in order. */
  async matches(): Promise<SeenFile[]> {
    const { env, baseDirectory, input } = this.#context
    const found = new Map<string, SeenFile>()
    for (const glob of this.#globs) {
      const files = await findFiles(env.disk, baseDirectory, glob).catch((error: unknown) => {
        throw nameUnreadable(error, `the input ${input}, ${JSON.stringify(glob)},`)
      })
      const isNamed = !hasWildcards(glob)
      for (const { id, entry } of files) {
        const { kind, fileId, size, modifiedMicros = 0 } = entry
        if (isNamed && (kind === "directory" || kind === "other")) throw notAFile(fileLabel(id, input), kind)
        if (kind !== "file" || fileId === undefined) continue
        if (!isNamed && isUnready(posix.basename(id))) continue
        if (compressionOf(id, undefined) !== "none") this.hasCompressed = true
        else if (!found.has(fileId))
          found.set(fileId, { id: realId(id, entry, baseDirectory), fileId, size, modifiedMicros })
      }
    }
    const byName = (one: SeenFile, other: SeenFile) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0)
    const byTime = (one: SeenFile, other: SeenFile) => one.modifiedMicros - other.modifiedMicros || byName(one, other)
    return [...found.values()].sort(this.#order === "name" ? byName : byTime)
  }

  /** What is in the directory of a file. */
  async beside(id: string): Promise<SeenDirectory> {
    const { env, baseDirectory } = this.#context
    return await SeenDirectory.list(env.disk, baseDirectory, posix.dirname(id))
  }
}

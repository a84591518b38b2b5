/**
 * Finds the files that a pattern names, through a `Disk`.
 *
 * Symbolic links are followed where a pattern names them; `**` does not follow those that lead to directories, so that no
 * file is found again by a link to a directory above it. Directories and special files (pipes, sockets) are passed over
 * where a wildcard matches them; named without one they are the caller's to refuse, as links are that lead nowhere.
 *
 * Invariants:
 * - Q3 The order of the files depends on their names alone, and no file is given twice for one pattern.
 * - Q4 What a pattern matches is given, or told as passed over: nothing is left out in silence. A name that is not UTF-8
 *   cannot be opened by it, and is refused.
 */
import { posix } from "node:path"
import { assert } from "../../base/assert.ts"
import type { Disk, DiskEntry } from "../../env/env.ts"
import { notUtf8 } from "./source-errors.ts"
import { matchesName, parseGlob, type NamePattern } from "./glob.ts"

/** A file that a pattern names. */
export interface FoundFile {
  /** The path as matched: relative to the base directory, or absolute where the pattern is. */
  readonly id: string
  /** The absolute path. */
  readonly path: string
  readonly entry: DiskEntry
}

/** Why something that a pattern matches is passed over. */
export type PassedOverReason =
  /** A wildcard matches a directory, whose files it does not name. */
  | "directory"
  /** A pipe, a socket or a device. */
  | "special"
  /** A link to a directory, below `**`. */
  | "linked-directory"
  /** A link that leads nowhere, where a wildcard stands for a directory on the way. */
  | "dangling-link"

/** What a pattern matches and does not give. */
export interface PassedOver {
  readonly id: string
  readonly reason: PassedOverReason
}

/**
 * The files that a pattern names, in the order of their ids' code units. What is named literally may be no file, and
 * whatever is matched may be a link that leads nowhere.
 */
export async function findFiles(
  disk: Disk,
  baseDirectory: string,
  glob: string,
  onPassedOver: (passed: PassedOver) => void = () => undefined,
): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>()
  const passed = new Map<string, PassedOver>()
  for (const { isAbsolute, names } of parseGlob(glob)) {
    const isLiteral = names.every(({ kind }) => kind === "literal")
    const idOf = (id: string, path: string) => (isAbsolute ? path : id)
    const walk = new Walk(disk, isAbsolute ? "/" : baseDirectory, {
      match(id, path, entry) {
        const file = { id: idOf(id, path), path, entry }
        if (entry.kind === "file" || entry.kind === "nowhere" || isLiteral) found.set(file.id, file)
        else passed.set(file.id, { id: file.id, reason: entry.kind === "directory" ? "directory" : "special" })
      },
      pass: (id, path, reason) => void passed.set(idOf(id, path), { id: idOf(id, path), reason }),
    })
    await walk.visit("", names, 0)
  }
  for (const each of passed.values()) onPassedOver(each)
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** What stands in a name for bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd"

/** Takes what a walk comes upon. */
interface Finds {
  /** The whole pattern matches. */
  match(id: string, path: string, entry: DiskEntry): void
  /** The pattern leads here, and not on. */
  pass(id: string, path: string, reason: PassedOverReason): void
}

/** One pattern's way through the directories. */
class Walk {
  readonly #disk: Disk
  readonly #root: string
  readonly #finds: Finds

  constructor(disk: Disk, root: string, finds: Finds) {
    assert(root.startsWith("/"), "the base directory is absolute")
    this.#disk = disk
    this.#root = root
    this.#finds = finds
  }

  #pathOf(id: string): string {
    return posix.resolve(this.#root, id)
  }

  /** Follows the names from `at` on below the directory `id`, which exists or is about to be found missing. */
  async visit(id: string, names: readonly NamePattern[], at: number): Promise<void> {
    const pattern = names[at]!
    if (pattern.kind === "literal") return this.#enter(join(id, pattern.name), names, at + 1)
    const children = await this.#disk.list(this.#pathOf(id))
    if (pattern.kind === "wildcard") {
      for (const name of children) if (matchesName(pattern, name)) await this.#enter(join(id, name), names, at + 1)
      return
    }
    // `a/**` names every file below `a`; `a/**/b` names `b` in `a` and in every directory below it.
    const isLast = at + 1 === names.length
    if (!isLast) await this.visit(id, names, at + 1)
    for (const name of children) {
      if (!matchesName(pattern, name)) continue
      const child = join(id, name)
      const path = this.#pathOf(child)
      const entry = await this.#look(path)
      if (entry?.kind === "directory") {
        if (entry.isLink === true) this.#finds.pass(child, path, "linked-directory")
        else await this.visit(child, names, at)
      } else if (entry !== undefined && isLast) this.#finds.match(child, path, entry)
    }
  }

  /** What a name that was matched is; `undefined` where it has gone since its directory was listed. */
  async #look(path: string): Promise<DiskEntry | undefined> {
    const entry = await this.#disk.stat(path)
    if (entry === undefined && path.includes(REPLACEMENT)) throw notUtf8(path)
    return entry
  }

  /** Takes what a name matched: the end of the pattern, or a directory on the way. */
  async #enter(id: string, names: readonly NamePattern[], next: number): Promise<void> {
    const path = this.#pathOf(id)
    const entry = await this.#look(path)
    if (entry === undefined) return
    if (next === names.length) return this.#finds.match(id, path, entry)
    if (entry.kind === "directory") return await this.visit(id, names, next)
    if (entry.kind !== "nowhere") return
    // Named, it should have been there; a wildcard may have met a link that was never one to a directory.
    if (names[next - 1]!.kind === "literal") this.#finds.match(id, path, entry)
    else this.#finds.pass(id, path, "dangling-link")
  }
}

function join(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`
}

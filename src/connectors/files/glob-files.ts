/**
 * Finds the files that a pattern names, through a `Disk`.
 *
 * Symbolic links are followed where a pattern names them; `**` does not follow those that lead to directories, so that no
 * file is found again by a link to a directory above it. Directories and special files (pipes, sockets) are passed over
 * where a wildcard matches them; named without one they are the caller's to refuse.
 *
 * Invariants:
 * - Q3 The order of the files depends on their names alone, and no file is given twice for one pattern.
 */
import { posix } from "node:path"
import { assert } from "../../base/assert.ts"
import type { Disk, DiskEntry } from "../../env/env.ts"
import { matchesName, parseGlob, type NamePattern } from "./glob.ts"

/** A file that a pattern names. */
export interface FoundFile {
  /** The path as matched: relative to the base directory, or absolute where the pattern is. */
  readonly id: string
  /** The absolute path. */
  readonly path: string
  readonly entry: DiskEntry
}

/** The files that a pattern names, in the order of their ids' code units; what is named literally may be no file. */
export async function findFiles(disk: Disk, baseDirectory: string, glob: string): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>()
  for (const { isAbsolute, names } of parseGlob(glob)) {
    const isLiteral = names.every(({ kind }) => kind === "literal")
    const walk = new Walk(disk, isAbsolute ? "/" : baseDirectory, (id, path, entry) => {
      const file = { id: isAbsolute ? path : id, path, entry }
      if (entry.kind === "file" || isLiteral) found.set(file.id, file)
    })
    await walk.visit("", names, 0)
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** One pattern's way through the directories. */
class Walk {
  readonly #disk: Disk
  readonly #root: string
  readonly #onMatch: (id: string, path: string, entry: DiskEntry) => void

  constructor(disk: Disk, root: string, onMatch: (id: string, path: string, entry: DiskEntry) => void) {
    assert(root.startsWith("/"), "the base directory is absolute")
    this.#disk = disk
    this.#root = root
    this.#onMatch = onMatch
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
      const entry = await this.#disk.stat(path)
      if (entry?.kind === "directory" && entry.isLink !== true) await this.visit(child, names, at)
      else if (entry?.kind === "file" && isLast) this.#onMatch(child, path, entry)
    }
  }

  /** Takes what a name matched: the end of the pattern, or a directory on the way. */
  async #enter(id: string, names: readonly NamePattern[], next: number): Promise<void> {
    const path = this.#pathOf(id)
    const entry = await this.#disk.stat(path)
    if (entry === undefined) return
    if (next === names.length) this.#onMatch(id, path, entry)
    else if (entry.kind === "directory") await this.visit(id, names, next)
  }
}

function join(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`
}

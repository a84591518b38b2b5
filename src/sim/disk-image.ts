/**
 * The simulated disk's memory: what a running process sees, what would survive a crash of the machine, and all that
 * lies between. Synchronous and without faults of its own: `sim-env.ts` adds time, failures and crashes.
 *
 * Every file keeps its durable bytes beside its current ones, with the changes that no sync has covered. Every change
 * of a directory is pending until that directory is synced. A crash of the machine settles what is pending: unsynced
 * bytes sector by sector, directory changes by the image's metadata order.
 *
 * Invariants:
 * - M1 What a sync covers (the changes made before the sync was issued) survives every crash.
 * - M2 What no sync covers may survive, be lost or be torn, in any combination. A rename is seen whole or not at all, but
 *   for one between two directories of a file system that writes directories back one by one: there the new name may
 *   survive without the old one's removal; and a sync of the old directory makes the removal durable without the new name.
 * - M3 After a crash the current and the durable state are the same and nothing is pending.
 */
import { assert } from "../base/assert.ts"
import type { Prng } from "../base/prng.ts"
import { FileNode } from "./file-node.ts"

/** How a file system keeps the order of directory changes that were not synced. */
export type MetadataOrder =
  /** A crash keeps a prefix of them, as a journal does (ext4, XFS). */
  | "ordered"
  /** Each survives or is lost by itself; a sync covers one directory and nothing else (ext2, FAT). */
  | "independent"

/** A directory: its entries now, and those that are durable. */
export class DirectoryNode {
  readonly kind = "directory"
  readonly entries = new Map<string, DiskNode>()
  readonly durable = new Map<string, DiskNode>()
}

/** A file or a directory. */
export type DiskNode = FileNode | DirectoryNode

/** A place in a directory. */
interface Entry {
  readonly directory: DirectoryNode
  readonly name: string
}

/** A directory change that is not yet durable. */
interface PendingChange {
  readonly sequence: number
  /** The name that goes, where one does. */
  readonly removed: Entry | undefined
  /** The name that comes, where one does. */
  readonly added: Entry | undefined
  readonly node: DiskNode
  /** A change without which a crash does not keep this one, unless a sync of this one's directory has made it durable. */
  readonly after?: PendingChange
}

/** Why a call on the image cannot be done, as an operating system names it. */
export class ImageError extends Error {
  readonly errno: string

  constructor(errno: string, reason: string) {
    super(reason)
    this.name = "ImageError"
    this.errno = errno
  }
}

/** Files and directories with their current and their durable state. */
export class DiskImage {
  readonly root = new DirectoryNode()
  readonly metadataOrder: MetadataOrder
  #pending: PendingChange[] = []
  #sequence = 0
  /** How many files there were. */
  #files = 0

  constructor(metadataOrder: MetadataOrder) {
    this.metadataOrder = metadataOrder
  }

  /** A moment: a sync that is issued now covers the changes made before it. */
  mark(): number {
    return this.#sequence
  }

  /** The number of the next change. */
  nextSequence(): number {
    return this.#sequence++
  }

  /** The file or directory of a path, or `undefined`. */
  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.root
    for (const name of namesOf(path)) {
      if (node?.kind !== "directory") return undefined
      node = node.entries.get(name)
    }
    return node
  }

  /** The current bytes of a file, as a copy; `undefined` where there is none. */
  readFile(path: string): Uint8Array | undefined {
    const node = this.find(path)
    return node?.kind === "file" ? node.view().slice() : undefined
  }

  /** The names in a directory, sorted by code unit; empty where there is none. */
  list(path: string): string[] {
    const node = this.find(path)
    return node?.kind === "directory" ? [...node.entries.keys()].sort() : []
  }

  /** Puts a file in place, durably and at once, with the directories that it needs: the outside world's doing. */
  install(path: string, bytes: Uint8Array): void {
    const { parent, name } = splitPath(path)
    const directory = this.installDirectory(parent)
    const file = new FileNode(String(this.#files++))
    file.install(bytes)
    directory.entries.set(name, file)
    directory.durable.set(name, file)
  }

  /** Makes a directory and its parents, durably and at once. */
  installDirectory(path: string): DirectoryNode {
    let directory = this.root
    for (const name of namesOf(path)) {
      let next = directory.entries.get(name)
      if (next === undefined) {
        next = new DirectoryNode()
        directory.entries.set(name, next)
        directory.durable.set(name, next)
      }
      assert(next.kind === "directory", "a directory is installed below directories")
      directory = next
    }
    return directory
  }

  /** Makes an empty file; `undefined` where the name is taken. */
  createFile(path: string): FileNode | undefined {
    const entry = this.#entry(path)
    if (entry.directory.entries.has(entry.name)) return undefined
    const file = new FileNode(String(this.#files++))
    this.#change({ removed: undefined, added: entry, node: file })
    return file
  }

  /** Makes a directory and its missing parents; nothing happens where there is one. */
  makeDirectory(path: string): void {
    let directory = this.root
    for (const name of namesOf(path)) {
      let next = directory.entries.get(name)
      if (next === undefined) {
        next = new DirectoryNode()
        this.#change({ removed: undefined, added: { directory, name }, node: next })
      }
      if (next.kind !== "directory") throw new ImageError("ENOTDIR", "not a directory")
      directory = next
    }
  }

  /** Renames over whatever bears the new name. */
  rename(from: string, to: string): void {
    const removed = this.#entry(from)
    const added = this.#entry(to)
    const node = removed.directory.entries.get(removed.name)
    if (node === undefined) throw new ImageError("ENOENT", "no such file or directory")
    const target = added.directory.entries.get(added.name)
    if (target === node) return
    if (target?.kind === "directory") throw new ImageError("EISDIR", "the new name is a directory")
    if (this.metadataOrder === "ordered" || removed.directory === added.directory) {
      this.#change({ removed, added, node })
      return
    }
    const after = this.#change({ removed: undefined, added, node })
    this.#change({ removed, added: undefined, node, after })
  }

  /** Removes a file; nothing happens where there is none. */
  remove(path: string): void {
    const node = this.find(path)
    if (node === undefined) return
    if (node.kind === "directory") throw new ImageError("EISDIR", "illegal operation on a directory")
    this.#change({ removed: this.#entry(path), added: undefined, node })
  }

  /** Makes durable what changed in a directory before `mark`. */
  syncDirectory(path: string, mark: number): void {
    const node = this.find(path)
    if (node?.kind !== "directory") throw new ImageError("ENOENT", "no such directory")
    const isCovered = ({ sequence, added, removed }: PendingChange): boolean =>
      sequence < mark && (added?.directory === node || removed?.directory === node)
    const covered = this.#pending.filter(isCovered)
    if (this.metadataOrder === "ordered") {
      const last = covered.at(-1)?.sequence ?? -1
      this.#makeDurable(new Set(this.#pending.filter(({ sequence }) => sequence <= last)))
    } else this.#makeDurable(new Set(covered))
  }

  /** Whether a sync of the file or directory would make anything durable; `undefined` where nothing bears that name. */
  hasUnsynced(path: string): boolean | undefined {
    const node = this.find(path)
    if (node === undefined) return undefined
    if (node.kind === "file") return node.hasUnsynced
    return this.#pending.some(({ added, removed }) => added?.directory === node || removed?.directory === node)
  }

  /** Settles what is pending as a crash of the machine may leave it (M2, M3). */
  crash(prng: Prng): void {
    const lost = new Set<PendingChange>()
    if (this.metadataOrder === "ordered") {
      const kept = prng.below(this.#pending.length + 1)
      for (const change of this.#pending.slice(kept)) lost.add(change)
    } else {
      for (const change of this.#pending) {
        const isAlone = change.after !== undefined && lost.has(change.after)
        if (isAlone || prng.chance(0.5)) lost.add(change)
      }
    }
    this.#makeDurable(new Set(this.#pending.filter((change) => !lost.has(change))))
    this.#pending = []
    restore(this.root, prng, new Set())
  }

  /** The paths of the files below a directory, sorted. */
  files(directory: string): string[] {
    const path = `/${namesOf(directory).join("/")}`
    if (this.find(path)?.kind === "file") return [path]
    return this.list(path).flatMap((name) => this.files(`${path}/${name}`))
  }

  #change(parts: Omit<PendingChange, "sequence">): PendingChange {
    const change = { sequence: this.nextSequence(), ...parts }
    settle(change, "entries")
    this.#pending.push(change)
    return change
  }

  #makeDurable(changes: ReadonlySet<PendingChange>): void {
    for (const change of this.#pending) if (changes.has(change)) settle(change, "durable")
    this.#pending = this.#pending.filter((change) => !changes.has(change))
  }

  #entry(path: string): Entry {
    const { parent, name } = splitPath(path)
    const directory = this.find(parent)
    if (directory?.kind !== "directory") throw new ImageError("ENOENT", "no such file or directory")
    return { directory, name }
  }
}

/** The names of a path. Programs use few paths, often. */
const namesOfPaths = new Map<string, readonly string[]>()

function namesOf(path: string): readonly string[] {
  let names = namesOfPaths.get(path)
  if (names === undefined) {
    assert(path.startsWith("/"), `a path is absolute: ${path}`)
    names = path.split("/").filter((name) => name !== "" && name !== ".")
    if (namesOfPaths.size > 10_000) namesOfPaths.clear()
    namesOfPaths.set(path, names)
  }
  return names
}

/** The path of the directory in which a name lies, and the name. */
function splitPath(path: string): { parent: string; name: string } {
  const names = namesOf(path)
  const name = names.at(-1)
  assert(name !== undefined, "the root is not renamed, made or removed")
  return { parent: `/${names.slice(0, -1).join("/")}`, name }
}

function settle({ removed, added, node }: PendingChange, state: "entries" | "durable"): void {
  added?.directory[state].set(added.name, node)
  // By the time a change becomes durable, another one may already have given the old name away.
  if (removed !== undefined && removed.directory[state].get(removed.name) === node) {
    removed.directory[state].delete(removed.name)
  }
}

/** Takes over the durable state below a directory. Files that no durable name leads to are gone. */
function restore(directory: DirectoryNode, prng: Prng, seen: Set<FileNode>): void {
  directory.entries.clear()
  for (const name of [...directory.durable.keys()].sort()) {
    const node = directory.durable.get(name)!
    directory.entries.set(name, node)
    if (node.kind === "directory") restore(node, prng, seen)
    else if (!seen.has(node)) {
      seen.add(node)
      node.crash(prng)
    }
  }
}

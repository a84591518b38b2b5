/**
 * The real disk, over `node:fs`.
 *
 * On Linux fdatasync is enough after a write, an extension or a truncation: it also writes the metadata without which
 * the bytes cannot be read back. On macOS libuv asks the drive to empty its cache.
 *
 * Invariants:
 * - Z1 Every failure is a `TidemarkError` that names the call, the path and the system's own words.
 * - Z2 A write or a read is whole: the system's short writes and reads are continued.
 * - Z3 What `writeDurably` has written is as durable as behind `sync`, and so is all that was written before.
 */
import { constants, lstatSync, promises as fs, readSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import type { Disk, DiskEntry, DiskFile, OpenMode } from "../env.ts"
import { diskError } from "../disk-error.ts"

const OPEN_FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
}

/** What an operating system says where there is nothing of that name. */
const ABSENT = ["ENOENT", "ENOTDIR"]
/** What a link that leads to nothing, or to itself, gives. */
const LEADS_NOWHERE = [...ABSENT, "ELOOP"]

/** Numbers of files may be greater than a double takes exactly. */
const BIG = { bigint: true } as const

function fileIdOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev.toString(36)}:${ino.toString(36)}`
}

/** The real disk. Protocol steps are of no interest to it. */
export const nodeDisk: Disk = {
  async open(path: string, mode: OpenMode): Promise<DiskFile | undefined> {
    const expected = mode === "create" ? ["EEXIST"] : ABSENT
    const handle = await attempt("open", path, () => fs.open(path, OPEN_FLAGS[mode]), expected)
    return handle === undefined ? undefined : new NodeFile(path, handle)
  },

  async stat(path: string): Promise<DiskEntry | undefined> {
    const own = await attempt("look at", path, () => fs.lstat(path, BIG), ABSENT)
    if (own === undefined) return undefined
    const isLink = own.isSymbolicLink()
    const leadsTo = isLink ? await attempt("look at", path, () => fs.realpath(path), LEADS_NOWHERE) : path
    const stats =
      isLink && leadsTo !== undefined ? await attempt("look at", path, () => fs.stat(leadsTo, BIG), LEADS_NOWHERE) : own
    if (leadsTo === undefined || stats === undefined) return { kind: "nowhere", size: 0, isLink: true }
    const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other"
    const isFile = kind === "file"
    const ofFile = isFile ? { fileId: fileIdOf(stats), modifiedMicros: Number(stats.mtimeNs / 1000n) } : {}
    const ofLink = isLink ? { isLink, ...(isFile ? { leadsTo } : {}) } : {}
    return { kind, size: Number(stats.size), ...ofLink, ...ofFile }
  },

  isThereNow(path: string): boolean {
    try {
      return lstatSync(path, { throwIfNoEntry: false }) !== undefined
    } catch (error) {
      if (ABSENT.includes(errnoOf(error))) return false
      throw failure("look at", path, error)
    }
  },

  async list(path: string): Promise<string[]> {
    const names = await attempt("list", path, () => fs.readdir(path), ABSENT)
    return names === undefined ? [] : names.sort()
  },

  async makeDirectory(path: string): Promise<void> {
    await attempt("make the directory", path, () => makeWithParents(path))
  },

  async rename(from: string, to: string): Promise<void> {
    await attempt("rename", `${from} to ${to}`, () => fs.rename(from, to))
  },

  async remove(path: string): Promise<void> {
    await attempt("remove", path, () => fs.unlink(path), ABSENT)
  },

  async syncDirectory(path: string): Promise<void> {
    await attempt("sync the directory", path, async () => {
      const handle = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY)
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    })
  },
}

/** Node's own recursive form tries for ever where a file system has no room for names, as `/proc`. */
async function makeWithParents(path: string): Promise<void> {
  if (await makeOne(path)) return
  await makeWithParents(dirname(path))
  await fs.mkdir(path)
}

/** Whether there is such a directory afterwards; `false` where its parent is missing. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await fs.mkdir(path)
    return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === "ENOENT" && path !== dirname(path)) return false
    if (code === "EEXIST" && (await fs.stat(path)).isDirectory()) return true
    throw error
  }
}

class NodeFile implements DiskFile {
  readonly #path: string
  readonly #handle: fs.FileHandle
  /** The file again, opened so that a write returns when it is durable; `null` where the system has no such thing. */
  #durable: fs.FileHandle | null | undefined
  /** How many changes have ended, and how many of them are known to be durable. */
  #changes = 0
  #synced = 0

  constructor(path: string, handle: fs.FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    try {
      let done = 0
      while (done < target.length) {
        const { bytesRead } = await this.#handle.read(target, done, target.length - done, position + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done
    } catch (error) {
      throw failure("read", this.#path, error)
    }
  }

  async write(source: Uint8Array, position: number): Promise<void> {
    try {
      await this.#writeTo(this.#handle, source, position)
    } finally {
      this.#changes++
    }
  }

  async writeDurably(source: Uint8Array, position: number): Promise<void> {
    if (this.#durable === undefined) this.#durable = await openDurable(this.#handle)
    // The system makes what is written durable, and not what was written otherwise (Z3).
    if (this.#durable !== null && this.#synced === this.#changes) {
      try {
        await this.#writeTo(this.#durable, source, position)
      } catch (error) {
        // Some of it may be written, and not durable.
        this.#changes++
        throw error
      }
      return
    }
    await this.write(source, position)
    await this.sync()
  }

  async #writeTo(handle: fs.FileHandle, source: Uint8Array, position: number): Promise<void> {
    try {
      let done = 0
      while (done < source.length) {
        const { bytesWritten } = await handle.write(source, done, source.length - done, position + done)
        done += bytesWritten
      }
    } catch (error) {
      throw failure("write", this.#path, error)
    }
  }

  readNow(target: Uint8Array, position: number): number {
    try {
      let done = 0
      while (done < target.length) {
        const count = readSync(this.#handle.fd, target, done, target.length - done, position + done)
        if (count === 0) break
        done += count
      }
      return done
    } catch (error) {
      throw failure("read", this.#path, error)
    }
  }

  writeNow(source: Uint8Array, position: number): void {
    try {
      let done = 0
      while (done < source.length) {
        done += writeSync(this.#handle.fd, source, done, source.length - done, position + done)
      }
    } catch (error) {
      throw failure("write", this.#path, error)
    } finally {
      this.#changes++
    }
  }

  async sync(): Promise<void> {
    const changes = this.#changes
    await attempt("sync", this.#path, () => this.#handle.datasync())
    this.#synced = Math.max(this.#synced, changes)
  }

  async truncate(length: number): Promise<void> {
    await attempt("truncate", this.#path, () => this.#handle.truncate(length))
    this.#changes++
  }

  async size(): Promise<number> {
    const stats = await attempt("look at", this.#path, () => this.#handle.stat(), [])
    return stats!.size
  }

  async fileId(): Promise<string> {
    const stats = await attempt("look at", this.#path, () => this.#handle.stat(BIG), [])
    return fileIdOf(stats!)
  }

  async close(): Promise<void> {
    try {
      await attempt("close", this.#path, () => this.#handle.close())
    } finally {
      await attempt("close", this.#path, async () => this.#durable?.close())
    }
  }
}

/**
 * A file again, opened for durable writes, by the name that Linux has for what is open, as its own may have changed since; `null` where there is
 * none.
 */
async function openDurable({ fd }: fs.FileHandle): Promise<fs.FileHandle | null> {
  if (process.platform !== "linux") return null
  return await fs.open(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_DSYNC).catch(() => null)
}

/** The call's result, or `undefined` where it fails in one of the expected ways. */
async function attempt<T>(
  operation: string,
  path: string,
  call: () => Promise<T>,
  expected: readonly string[] = [],
): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if (expected.includes(errnoOf(error))) return undefined
    throw failure(operation, path, error)
  }
}

function failure(operation: string, path: string, cause: unknown): Error {
  const errno = errnoOf(cause)
  if (errno === "") return cause instanceof Error ? cause : new Error(String(cause))
  // Node's message is "EIO: i/o error, write": the words in the middle are the system's.
  const words = /^[A-Z0-9]+: ([^,]*)/.exec((cause as Error).message)
  return diskError({ operation, path, errno, reason: words?.[1] ?? (cause as Error).message, cause })
}

function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : ""
}

/**
 * The lock of a directory, by listening local sockets, because Node has no `flock`.
 *
 * Each taker listens on a socket of its own, `lock-<16 hexadecimal digits>.sock`, in the directory or, where that path
 * is too long for a socket or the file system knows none, in the system's directory for temporary files under a hash of
 * the directory's real path. Then it looks at the sockets of the others and asks each what it is:
 *
 * - nobody listens: the process is dead, and the file is removed. Names are never used twice and a file gets its name
 *   only when it is listened on, so this cannot hit a living one;
 * - a holder, or no answer in time (a process that is busy or stopped): the lock is taken;
 * - another taker: the greater name gives up, the smaller one asks again until the other has decided.
 *
 * Of two takers the one that listened later sees the other, so they never both become holders. The system stops the
 * listening when a process dies, however it dies.
 *
 * Invariants:
 * - W1 While a holder lives, nobody else gets the lock: not another process, not another taker of the same process.
 * - W2 When the holder has released the lock or died, the next taker gets it.
 */
import { createHash, randomBytes } from "node:crypto"
import { promises as fs } from "node:fs"
import { connect, createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { diskError } from "../disk-error.ts"
import type { DirectoryLock } from "../env.ts"

/** A socket's path has at most 103 bytes on macOS and 107 on Linux. */
const SOCKET_PATH_BYTES_MAX = 103

/** How long a socket that is listened on may take to say what it is. */
const ANSWER_MS_MAX = 3000

/** How long to wait before asking another taker again. */
const ASK_AGAIN_MS = 5

/** What a file system answers that knows no sockets. */
const NO_SOCKETS: ReadonlySet<string> = new Set(["EOPNOTSUPP", "ENOTSUP", "EPERM", "EINVAL", "ENAMETOOLONG"])

type Role = "taker" | "holder"

/** What asking a socket tells: `"gone"` where the connection broke, so that asking again will tell more. */
type Answer = Role | "dead" | "gone"

const ANSWERS_OF_ERRORS: Readonly<Record<string, Answer>> = {
  ECONNREFUSED: "dead",
  ENOENT: "dead",
  ECONNRESET: "gone",
  EPIPE: "gone",
}

/** Where the sockets of a directory's takers lie: the names are `<prefix><16 digits>.sock`. */
interface Meeting {
  readonly directory: string
  readonly prefix: string
}

/** Takes the lock of a directory, which is made where it is missing; `undefined` where somebody else holds it. */
export async function lockDirectory(path: string): Promise<DirectoryLock | undefined> {
  try {
    await fs.mkdir(path, { recursive: true })
    const real = await fs.realpath(path)
    const [inside, elsewhere] = meetingsOf(real)
    if (Buffer.byteLength(socketPath(inside, "0".repeat(16))) <= SOCKET_PATH_BYTES_MAX) {
      try {
        return await takeLock(inside)
      } catch (error) {
        if (!NO_SOCKETS.has(errnoOf(error))) throw error
      }
    }
    return await takeLock(elsewhere)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw diskError({ operation: "lock the directory", path, errno: errnoOf(cause), reason, cause })
  }
}

/** Whether somebody holds the lock of a directory. It is not taken, and nothing in the directory is touched. */
export async function isDirectoryLocked(path: string): Promise<boolean> {
  const real = await fs.realpath(path)
  for (const meeting of meetingsOf(real)) {
    const roles = (await otherIds(meeting, "")).map((id) => askRole(socketPath(meeting, id)))
    if ((await Promise.all(roles)).includes("holder")) return true
  }
  return false
}

/** Where takers of a directory may meet: within it, or, where that cannot be, elsewhere. */
function meetingsOf(real: string): readonly [inside: Meeting, elsewhere: Meeting] {
  const hash = createHash("sha256").update(real).digest("hex").slice(0, 24)
  return [
    { directory: real, prefix: "lock-" },
    { directory: tmpdir(), prefix: `tidemark-${hash}-` },
  ]
}

async function takeLock(meeting: Meeting): Promise<DirectoryLock | undefined> {
  const id = randomBytes(8).toString("hex")
  const path = socketPath(meeting, id)
  const own = await listen(path)
  const release = async (): Promise<void> => {
    await fs.rm(path, { force: true })
    await new Promise((resolve) => own.server.close(resolve))
  }
  try {
    for (const other of await otherIds(meeting, id)) {
      if (await yieldsTo(meeting, id, other)) {
        await release()
        return undefined
      }
    }
  } catch (error) {
    await release()
    throw error
  }
  own.role = "holder"
  return { release }
}

function socketPath({ directory, prefix }: Meeting, id: string): string {
  return join(directory, `${prefix}${id}.sock`)
}

async function otherIds({ directory, prefix }: Meeting, own: string): Promise<string[]> {
  const names = await fs.readdir(directory)
  const isSocket = (name: string): boolean => name.startsWith(prefix) && name.endsWith(".sock")
  const ids = names.filter(isSocket).map((name) => name.slice(prefix.length, -".sock".length))
  return ids.filter((id) => /^[0-9a-f]{16}$/.test(id) && id !== own)
}

/** Waits until it is clear what the other one is; gives whether `own` must give up. */
async function yieldsTo(meeting: Meeting, own: string, other: string): Promise<boolean> {
  for (;;) {
    const path = socketPath(meeting, other)
    const role = await askRole(path)
    if (role === "dead") {
      await fs.rm(path, { force: true })
      return false
    }
    if (role === "holder" || (role === "taker" && other < own)) return true
    await pause(ASK_AGAIN_MS)
  }
}

/** Listens on a socket that gets its name only then, and tells whoever connects which role it has. */
async function listen(path: string): Promise<{ server: Server; role: Role }> {
  const server = createServer()
  const own: { server: Server; role: Role } = { server, role: "taker" }
  server.on("connection", (socket) => {
    socket.on("error", () => socket.destroy())
    socket.end(own.role)
  })
  // One character less than ".sock", so that the limit of a socket's path holds for it too.
  const unnamed = path.replace(/\.sock$/, ".new")
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(unnamed, resolve)
  })
  server.unref()
  await fs.rename(unnamed, path)
  return own
}

/** Who listens on a socket. Whatever is not clear counts as a holder's answer. */
function askRole(path: string): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect(path)
    let answer = ""
    const decide = (role: Answer): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(role)
    }
    const timer = setTimeout(() => decide("holder"), ANSWER_MS_MAX)
    socket.on("data", (bytes) => (answer += bytes.toString()))
    socket.on("end", () => decide(answer === "taker" ? "taker" : "holder"))
    socket.on("error", (error) => decide(ANSWERS_OF_ERRORS[errnoOf(error)] ?? "holder"))
  })
}

function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === "string" ? code : ""
}

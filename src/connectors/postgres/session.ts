/**
 * A connection to a database, as this connector uses it: SQL of which each call is one round trip, and COPY. `pg` is behind it, which is
 * loaded when the first connection is made.
 *
 * Invariants:
 * - PS1 What the database, or the way to it, answers with an error is a `DatabaseError`; mistakes of our own code are none.
 * - PS2 No error has anything of the connection string in it, but for names of hosts, users and databases.
 */
import type { Socket } from "node:net"
import type { Client, Connection, Submittable } from "pg"
import { TidemarkError } from "../../base/errors.ts"
import { failureOf, type SqlFailure } from "./sql-failure.ts"

/** How long a connection may take to be made. */
const CONNECT_MILLIS = 10_000
/** Behind how long a silence the system asks whether the server is still there. */
const KEEP_ALIVE_MILLIS = 30_000

/** The rows of one statement. */
export type Rows = readonly Readonly<Record<string, unknown>>[]

/** An open connection. One call at a time. */
export interface Session {
  /** Runs statements with `;` between them; gives the rows of each. */
  query(sql: string): Promise<readonly Rows[]>
  /** Runs a `COPY … FROM STDIN` with these bytes; gives how many rows were copied. */
  copyIn(sql: string, chunks: AsyncIterable<Uint8Array>): Promise<void>
  /** Ends it politely. */
  close(): Promise<void>
  /** Cuts it: what is under way fails. */
  destroy(): void
}

/** Makes a connection. */
export type Connect = () => Promise<Session>

/** What the database, or the way to it, has answered. */
export class DatabaseError extends Error {
  readonly failure: SqlFailure

  constructor(error: unknown) {
    const failure = failureOf(error)
    super(failure.message)
    this.name = "DatabaseError"
    this.failure = failure
  }
}

/**
 * Connects by `pg`.
 *
 * @throws TidemarkError `package-missing` where it is not installed, `invalid-options` where the text is no address.
 */
export async function connectByPg(connectionString: string, applicationName: string): Promise<Session> {
  const Postgres = await loadClient()
  let client: Client
  try {
    client = new Postgres({
      connectionString,
      application_name: applicationName,
      connectionTimeoutMillis: CONNECT_MILLIS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MILLIS,
    })
  } catch {
    // The error of the parser has the text in it, password and all.
    throw new TidemarkError("invalid-options", "What is given as the connection to PostgreSQL is no address of one.", {
      hint: "Give postgres://user:password@host:5432/database. Special characters of a password are written as in addresses (%40 for @).",
    })
  }
  // What is under way fails with the same error.
  client.on("error", () => undefined)
  try {
    await client.connect()
  } catch (error) {
    throw new DatabaseError(error)
  }
  return new PgSession(client)
}

async function loadClient(): Promise<typeof Client> {
  try {
    const { default: pg } = await import("pg")
    return pg.Client
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause
    throw new TidemarkError(
      "package-missing",
      "The package pg is not installed, by which tidemark/postgres connects.",
      {
        hint: "Run: npm install pg",
        cause,
      },
    )
  }
}

class PgSession implements Session {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  async query(sql: string): Promise<readonly Rows[]> {
    try {
      const results = await this.#client.query(sql)
      return (Array.isArray(results) ? results : [results]).map(({ rows }) => rows)
    } catch (error) {
      throw new DatabaseError(error)
    }
  }

  async copyIn(sql: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const copy = this.#client.query(new CopyIn(sql, chunks))
    await copy.done
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }

  destroy(): void {
    this.#client.connection.stream.destroy()
  }
}

/** What stands before bytes of a COPY: `d`, and how many there are, these four bytes among them. */
function copyDataHead(length: number): Uint8Array {
  const head = new DataView(new ArrayBuffer(5))
  head.setUint8(0, 0x64)
  head.setUint32(1, length + 4)
  return new Uint8Array(head.buffer)
}

/** Resolves when more may be written, or nothing any more. */
function roomIn(stream: Socket): Promise<void> {
  return new Promise((resolve) => {
    const goOn = (): void => {
      stream.off("drain", goOn)
      stream.off("close", goOn)
      resolve()
    }
    stream.on("drain", goOn)
    stream.on("close", goOn)
  })
}

/** A `COPY … FROM STDIN`. What brings the bytes may fail: then that is its error. */
class CopyIn implements Submittable {
  readonly done: Promise<void>
  readonly #sql: string
  readonly #chunks: AsyncIterable<Uint8Array>
  #settle!: { resolve: () => void; reject: (error: unknown) => void }
  /** Why no bytes came any more. */
  #broken: { readonly error: unknown } | undefined
  #isOver = false

  constructor(sql: string, chunks: AsyncIterable<Uint8Array>) {
    this.#sql = sql
    this.#chunks = chunks
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  submit(connection: Connection): void {
    connection.query(this.#sql)
  }

  handleCopyInResponse(connection: Connection): void {
    void this.#send(connection)
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.#isOver = true
    this.#settle.reject(this.#broken === undefined ? new DatabaseError(error) : this.#broken.error)
  }

  handleReadyForQuery(): void {
    this.#isOver = true
    this.#settle.resolve()
  }

  async #send(connection: Connection): Promise<void> {
    const { stream } = connection
    try {
      for await (const chunk of this.#chunks) {
        // The server has refused a row already, or the connection is gone: it says so itself.
        if (this.#isOver) return
        if (chunk.length === 0) continue
        stream.write(copyDataHead(chunk.length))
        stream.write(chunk)
        if (stream.writableNeedDrain) await roomIn(stream)
      }
    } catch (error) {
      this.#broken = { error }
      connection.sendCopyFail("the client has no more rows")
      return
    }
    if (!this.#isOver) connection.endCopyFrom()
  }
}

/** Parquet files for tests: written by DuckDB, and read from memory in pieces of any size. */
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Arena } from "../../batch/arena.ts"
import type { BadRecord } from "../../batch/position.ts"
import type { Schema } from "../../batch/schema.ts"
import { nodeCodecs } from "./parquet-format.ts"
import { loadUnzstd } from "./zstd.ts"
import { footerBytes } from "../../formats/parquet/footer.ts"
import { ParquetDecoder } from "../../formats/parquet/parquet-decoder.ts"

/** What a file was read as. */
export interface ReadFile {
  readonly rows: Record<string, unknown>[]
  /** The number of each row. */
  readonly ordinals: number[]
  readonly bad: BadRecord[]
  /** How many bytes were asked for. */
  readonly fetchedBytes: number
}

/** How a file is read. */
export interface ReadOptions {
  /** The first row that is read. */
  readonly from?: number
  /** How many rows are asked for next. */
  readonly limit?: () => number
  readonly pageBytesMax?: number
}

const arena = new Arena({ maxBytes: 1 << 26 })

await loadUnzstd()

/** Reads a file from memory. */
export function readFile(
  bytes: Uint8Array,
  schema: Schema,
  { from = 0, limit = () => 65_536, pageBytesMax = 1 << 24 }: ReadOptions = {},
): ReadFile {
  const label = "the file f.parquet"
  const footer = { bytes: bytes.slice(-footerBytes(bytes, bytes.length, label)), fileBytes: bytes.length, label }
  const decoder = new ParquetDecoder(footer, { arena, schema }, { pageBytesMax, platform: nodeCodecs })
  const rows: Record<string, unknown>[] = []
  const ordinals: number[] = []
  const bad: BadRecord[] = []
  let fetchedBytes = 0
  for (let record = from; record < decoder.records;) {
    for (let wanted = decoder.wanted(record); wanted !== undefined; wanted = decoder.wanted(record)) {
      const { offset, target } = wanted
      target.set(bytes.subarray(offset, offset + target.length))
      fetchedBytes += target.length
      decoder.supplied()
    }
    const decoded = decoder.decode(record, limit(), 0)
    decoded.batch?.forEachRow((row) => {
      rows.push(decoded.batch!.row(row))
      ordinals.push(decoded.batch!.origin.ordinals![row]!)
    })
    bad.push(...decoded.bad)
    decoded.release()
    record += decoded.records
  }
  return { rows, ordinals, bad, fetchedBytes }
}

/** How many bytes of the arena are in use: none, when all files were read. */
export function usedBytes(): number {
  return arena.usedBytes
}

/** DuckDB, with a directory to write to. */
export class DuckDb {
  readonly #connection: DuckDBConnection
  readonly #directory: string
  #count = 0

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection
    this.#directory = mkdtempSync(join(tmpdir(), "tidemark-parquet-"))
  }

  static async open(): Promise<DuckDb> {
    const connection = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect()
    await connection.run("SET TimeZone = 'UTC'")
    return new DuckDb(connection)
  }

  /** The bytes of the file that `COPY (query) TO … (FORMAT parquet, options)` writes. */
  async write(query: string, options = ""): Promise<Uint8Array> {
    const path = join(this.#directory, `${this.#count++}.parquet`)
    await this.#connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet${options === "" ? "" : `, ${options}`})`)
    return new Uint8Array(readFileSync(path))
  }

  /** The rows of a query over a file of these bytes, which it calls FILE. */
  async read(bytes: Uint8Array, query: string): Promise<unknown[][]> {
    const path = join(this.#directory, "read.parquet")
    writeFileSync(path, bytes)
    return this.rows(query.replaceAll("FILE", `read_parquet('${path}')`))
  }

  /** The rows of a query, each an array. */
  async rows(query: string): Promise<unknown[][]> {
    return (await this.#connection.runAndReadAll(query)).getRowsJS() as unknown[][]
  }

  close(): void {
    this.#connection.closeSync()
    rmSync(this.#directory, { recursive: true })
  }
}

/**
 * The scenario `http-postgres` of `chaos.mjs`: as `http`, and what is sent and its windows go into tables of a PostgreSQL server, too, which is killed and
 * started again meanwhile, whatever it is about to commit.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { startServer } from "../bench/postgres/server.mjs"
import { differenceOf } from "./chaos-differences.mjs"
import { acknowledgedIn, Client, http, rowOf, windowOf, windowsOf } from "./chaos-http.mjs"

/** The server lives so long at least, and so much longer at most, and lies dead so long at most. */
const [LIFE_MS, MORE_MS, DEAD_MS] = [500, 3000, 1000]

/** See the head of this file. */
export const httpPostgres = {
  ...http,
  job: (data) => ({ ...http.job(data), database: data.server.address }),

  async accompany(directory, data) {
    data.server = await startServer()
    return new Company(data.server, new Client(directory, data.seed, data.port))
  },

  async judge(directory, data) {
    const records = acknowledgedIn(directory)
    const [rows, sums] = [await data.server.query("TABLE rows"), await data.server.query("TABLE sums")]
    return [
      ...(await http.judge(directory)),
      ...differenceOf({ output: "rows", expected: records.map(rowOf), rows: rows.map(rowOf) }),
      ...differenceOf({ output: "sums", expected: windowsOf(records).map(windowOf), rows: sums.map(windowOf) }),
    ]
  },
}

/** The client, and who kills the server: at moments that no seed repeats, as what happens then is not repeated by one either. */
class Company {
  #server
  #client
  #isEnding = false
  #crashing
  /** How often the server was killed. */
  faults = 0

  constructor(server, client) {
    this.#server = server
    this.#client = client
    this.#crashing = this.#crash()
  }

  async #crash() {
    for (;;) {
      await sleep(LIFE_MS + Math.random() * MORE_MS)
      if (this.#isEnding) return
      await this.#server.kill()
      this.faults++
      await sleep(Math.random() * DEAD_MS)
      await this.#server.start()
    }
  }

  async end() {
    this.#client.end()
    this.#isEnding = true
    await this.#crashing
  }

  async kill() {
    this.#isEnding = true
    this.#client.kill()
    await this.#crashing
    await this.#server.close()
  }
}

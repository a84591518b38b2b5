/**
 * The scenario `http-postgres` of `chaos.mjs`: as `http`, and what is sent and its windows go into tables of a PostgreSQL server, too, which is killed and
 * started again, or stopped for a while, whatever it is about to commit. The way to it is cut, too (`chaos-postgres-proxy.mjs`).
 */
import { startServer } from "../bench/postgres/server.mjs"
import { Company, TormentedServer } from "./chaos-company.mjs"
import { differenceOf } from "./chaos-differences.mjs"
import { acknowledgedIn, Client, diskOf, http, rowOf, windowOf, windowsOf } from "./chaos-http.mjs"
import { TormentedWay } from "./chaos-postgres-proxy.mjs"

/** See the head of this file. */
export const httpPostgres = {
  ...http,
  job: (data) => ({ ...http.job(data), database: data.way.address }),

  async accompany(directory, data) {
    data.server = await startServer()
    data.way = await TormentedWay.before(data.server)
    const client = new Client(directory, data.seed, data.port)
    return new Company(client, [
      ...diskOf(directory, data),
      data.way,
      new TormentedServer("the PostgreSQL server", data.server),
    ])
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

/**
 * The scenario `http-webhook` of `chaos.mjs`: as `http`, and what is sent goes on by webhooks, row by row with its place among those of its key, and in windows. The
 * receiver is a process of its own (`chaos-webhook-receiver.mjs`), which refuses, answers late or not at all, cuts connections, and is killed and started
 * again. In each of its lives the job sends in another order (the output's or the key's), with other batches.
 *
 * Invariants, of all requests that have come to the receiver (WH1 to WH4):
 * - CW1 Those with one key have the same bytes.
 * - CW2 Of those that it has taken, each key counted once, the rows are exactly the records that were acknowledged, and the windows theirs.
 * - CW3 So counted, the rows of each key come in the order of their places.
 */
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Company, TormentedServer } from "./chaos-company.mjs"
import { differenceOf } from "./chaos-differences.mjs"
import { noteFault } from "./chaos-findings.mjs"
import { acknowledgedIn, Client, diskOf, http, placeOf, placesOf, rowOf, windowOf, windowsOf } from "./chaos-http.mjs"

const RECEIVER = fileURLToPath(new URL("./chaos-webhook-receiver.mjs", import.meta.url))
/** Beside those of the job, and below those that systems give to whoever connects. */
const PORTS = { from: 30_000, count: 2000 }

/** See the head of this file. */
export const httpWebhook = {
  ...http,
  /** What is stopped has ten seconds for what is unsent: what is left comes by the second. */
  phases: 2,
  killsMax: 12,
  lifeMs: 4000,

  draw: (prng) => ({
    ...http.draw(prng),
    receiverPort: PORTS.from + prng.below(PORTS.count),
    // The receiver takes less than the client has, and all that waits must have come in the end.
    maxBacklogBytes: prng.pick([20_000, 100_000]),
  }),

  job: (data, prng) => ({
    ...http.job(data),
    receiver: {
      url: `http://127.0.0.1:${data.receiverPort}`,
      order: prng.pick(["output", { by: "key" }]),
      batch: prng.pick([undefined, { rows: 3 }, { rows: 50, format: "json-lines" }]),
      maxUnsent: { rows: prng.pick([0, 20, 1000]) },
    },
  }),

  async accompany(directory, data) {
    const receiver = new Receiver(directory, data.receiverPort)
    await receiver.start()
    const torments = [...diskOf(directory, data), new TormentedServer("the receiver", receiver)]
    return new Company(new Client(directory, data.seed, data.port), torments)
  },

  async judge(directory) {
    const deliveries = deliveriesIn(directory)
    const keys = new Set(deliveries.map(({ key }) => key))
    noteFault("a request came to the receiver", deliveries.length)
    noteFault("a request was refused, cut or not answered", deliveries.filter(({ isTaken }) => !isTaken).length)
    noteFault("a request came again", deliveries.length - keys.size)
    return [...(await http.judge(directory)), ...deliveryDifferences(acknowledgedIn(directory), deliveries)]
  },
}

/** What is wrong with what has come to the receiver: `{ path, key, body, isTaken }` each, in the order in which it came. */
export function deliveryDifferences(records, deliveries) {
  const taken = new Map()
  for (const { key, path, body, isTaken } of deliveries) if (isTaken && !taken.has(key)) taken.set(key, { path, body })
  const rowsAt = (path) => [...taken.values()].flatMap((each) => (each.path === path ? rowsOf(each.body) : []))
  const [rows, minutes] = [rowsAt("/rows"), rowsAt("/minutes")]
  const [expectedPlaces, places] = [placesOf(records), rows].map((those) => those.map(placeOf))
  return [
    ...bodyDifferences(deliveries),
    ...differenceOf({ output: "sent", expected: records.map(rowOf), rows: rows.map(rowOf) }),
    ...differenceOf({
      output: "places",
      expected: expectedPlaces,
      rows: places,
      groupOf: (place) => place.split("|")[0],
    }),
    ...differenceOf({ output: "minutes", expected: windowsOf(records).map(windowOf), rows: minutes.map(windowOf) }),
  ]
}

/** Keys that stand for more than one request. */
function bodyDifferences(deliveries) {
  const first = new Map()
  return deliveries.flatMap(({ key, path, body }) => {
    const request = `${path} ${body}`
    if (!first.has(key)) first.set(key, request)
    if (first.get(key) === request) return []
    return [{ output: path.slice(1), kind: "wrong", count: 1, row: `${body} (its key ${key} came with another body)` }]
  })
}

function rowsOf(body) {
  if (body.startsWith("[")) return JSON.parse(body)
  return body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
}

function deliveriesIn(directory) {
  const path = join(directory, "deliveries")
  if (!existsSync(path)) return []
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** The process that takes requests. */
class Receiver {
  #args
  #child

  constructor(directory, port) {
    this.#args = [RECEIVER, directory, String(port)]
  }

  /** Resolves when it listens. */
  async start() {
    const child = spawn(process.execPath, this.#args, { stdio: ["ignore", "pipe", "inherit"] })
    this.#child = child
    await new Promise((resolve, reject) => {
      child.stdout.once("data", resolve)
      child.once("exit", (code) => reject(new Error(`The receiver of webhooks has failed: exit code ${code}.`)))
    })
  }

  async kill() {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGKILL")
    await ended
  }

  pause() {
    this.#child.kill("SIGSTOP")
  }

  resume() {
    this.#child.kill("SIGCONT")
  }

  close() {
    return this.kill()
  }
}

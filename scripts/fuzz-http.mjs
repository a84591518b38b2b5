/**
 * `npm run fuzz:http -- --requests N --seed S`: sends requests of all kinds, right, wrong and senseless, to a job that listens on the loopback interface,
 * over many connections, and holds each answer, the memory of the job, and what it publishes against what is to be (docs/spec/http.md).
 *
 * A sender draws all from the seed and its own number; how the senders meet is chance. The exit code is 1 where something is wrong, and the
 * last line is `requests N, findings K`.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { tableText } from "../bench/frame/table.mjs"
import { prepare, runMain } from "./bootstrap.mjs"
import { publishedNames, readPublished } from "./chaos-published.mjs"
import { fromDist } from "./dist.mjs"
import { Tally } from "./fuzz-http-tally.mjs"
import { Victim } from "./fuzz-http-victim.mjs"
import { readOptions } from "./options.mjs"

const PROGRESS_MS = 10_000
const MEBIBYTE = 2 ** 20
/** What is kept may grow by so much: caches, and what is known of the newest keys. */
const KEPT_MORE_BYTES = 48 * MEBIBYTE

await runMain(async () => {
  const values = readOptions({
    command: "npm run fuzz:http --",
    what: "Sends right, wrong and senseless requests to a job on the loopback interface, and holds answers, memory and results against what is to be. The exit code is 1 on a finding.",
    options: {
      requests: { value: "N", kind: "number", least: 1, default: 100_000, help: "How many requests." },
      seed: { value: "S", kind: "number", default: 1, help: "Other requests." },
      senders: { value: "N", kind: "number", least: 1, default: 48, help: "How many connections there are at a time." },
      "memory-mib": { value: "MIB", kind: "number", default: 400, help: "The job's memory may not be more." },
    },
  })
  await prepare()
  const directory = mkdtempSync(join(tmpdir(), "tidemark-fuzz-http-"))
  try {
    await fuzz(directory, values)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

async function fuzz(directory, values) {
  const { requests, seed, senders: count, "memory-mib": memoryMib } = values
  const { Prng } = await fromDist("base/prng")
  const { Sender } = await import("./fuzz-http-connection.mjs")
  const tally = new Tally()
  const victim = new Victim(directory)
  await victim.listening()
  const port = Number(new URL(victim.url).port)
  const started = performance.now()
  const progress = setInterval(() => process.stderr.write(`${tally.requests} of ${requests} requests\n`), PROGRESS_MS)
  const isOver = () => tally.requests >= requests || victim.hasEnded
  const seeds = new Prng(seed)
  const senders = Array.from(
    { length: count },
    (_, index) => new Sender({ index, seed, port, prng: seeds.fork(), tally }),
  )
  await Promise.all(senders.map((sender) => sender.run(isOver)))
  clearInterval(progress)
  const seconds = (performance.now() - started) / 1000
  await victim.readAll()
  const keptBytes = await victim.kept()
  await victim.stop()
  const memory = { memoryMib, keptBytes, ...victim }
  judge(directory, tally, memory)
  tell(tally, memory, seconds)
  if (tally.findings.length > 0) process.exitCode = 1
}

function judge(directory, tally, { memoryMib, keptBytes, keptBytesAtFirst, rssMaxBytes }) {
  tally.judge(idsIn(directory))
  const stored = linesOf(directory, "scrap").length + linesOf(directory, "dead-letters").length
  const { scrapRecords, scrapUnknown } = tally
  if (stored < scrapRecords || stored > scrapRecords + scrapUnknown) {
    tally.find(`${scrapRecords} records of /scrap were acknowledged, and ${stored} are there`)
  }
  if (rssMaxBytes > memoryMib * MEBIBYTE) tally.find(`the job had ${mebibytes(rssMaxBytes)} MiB of memory`)
  const more = keptBytes - keptBytesAtFirst
  if (more > KEPT_MORE_BYTES) tally.find(`the job keeps ${mebibytes(more)} MiB more than at first`)
}

/** The lines that an output has. */
function linesOf(directory, output) {
  const contents = publishedNames(directory, output).map(
    (name) => readPublished(join(directory, "out", output, name)).content,
  )
  return contents.flatMap((content) => content.split("\n").slice(0, -1))
}

function idsIn(directory) {
  return linesOf(directory, "events").map((line) => JSON.parse(line).id)
}

function tell(tally, { keptBytes, keptBytesAtFirst, rssMaxBytes }, seconds) {
  const rows = [...tally.answers].sort().map(([kind, count]) => [kind, count.toLocaleString("en")])
  console.log(tableText(["answer", "times"], rows))
  const { acknowledged, refused, unknown } = tally.fates
  const counts = [acknowledged, refused, unknown].map((count) => count.toLocaleString("en"))
  console.log(`records: ${counts[0]} acknowledged, ${counts[1]} refused, ${counts[2]} without an answer`)
  console.log(
    `memory of the job: at most ${mebibytes(rssMaxBytes)} MiB; kept at first ${mebibytes(keptBytesAtFirst)} MiB, at the end ${mebibytes(keptBytes)} MiB`,
  )
  console.log(`${seconds.toFixed(1)} s, ${(tally.requests / seconds).toFixed(0)} requests/s`)
  for (const text of tally.findings) console.log(text)
  if (tally.more > 0) console.log(`… and ${tally.more} more`)
  console.log(`requests ${tally.requests}, findings ${tally.findings.length + tally.more}`)
}

function mebibytes(bytes) {
  return Math.round(bytes / MEBIBYTE)
}

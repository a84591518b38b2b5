import { request } from "node:http"
import { afterEach, describe, expect, test } from "vitest"
import type { JobStatus } from "../runtime/status.ts"
import { CommitTimes } from "./commit-times.ts"
import { metricsText } from "./metrics-text.ts"
import { serveStatus, type StatusServer } from "./status-server.ts"

const STATUS: JobStatus = {
  job: 'a "job"\\',
  state: "running",
  epoch: 3,
  rowsIn: 5,
  rowsInByInput: { trips: 5 },
  rowsOut: { hourly: 2, late: 0 },
  lateRows: 1,
  badRecords: 2,
  inputGaps: 0,
  watermarkMicros: 1_000_000,
  maxEventTimeMicros: 3_500_000,
  openWindows: 4,
  idlePartitions: [],
  eventTimes: [{ id: "trips/eventTime", watermarkMicros: 1_000_000, maxEventTimeMicros: 3_500_000, isActive: true }],
  pausedPartitions: [],
  waitingOutputs: [],
  rowsInFlight: 0,
  holdingBack: [
    {
      eventTime: "trips/eventTime",
      input: "trips",
      partition: "a.csv",
      watermarkMicros: 1_000_000,
      behindMicros: 500_000,
      others: 0,
      lastReadMicros: undefined,
    },
  ],
  inputRead: 10,
  inputTotal: undefined,
  timeShares: [{ on: "output", name: "hourly", share: 0.5 }],
  lastCommitMicros: 700,
  arenaUsedBytes: 1,
  arenaPeakBytes: 2,
  spilledBytes: 0,
}

let server: StatusServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function ask(path: string, method = "GET") {
  return await new Promise<{ code: number | undefined; type: string | undefined; body: string }>((resolve, reject) => {
    const asked = request(`${server!.url}${path}`, { method }, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk))
      response.on("end", () => resolve({ code: response.statusCode, type: response.headers["content-type"], body }))
    })
    asked.on("error", reject).end()
  })
}

async function serve(status: () => JobStatus | undefined): Promise<CommitTimes> {
  const commits = new CommitTimes()
  server = await serveStatus({ status, commits }, { port: 0 })
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  return commits
}

describe("the server of a job's status", () => {
  test.each([
    [undefined, 200, 503],
    ["running", 200, 200],
    ["stopped", 200, 503],
    ["finished", 200, 503],
    ["failed", 503, 503],
  ] as const)("of a job that is %s /healthz answers %i and /readyz %i", async (state, healthz, readyz) => {
    await serve(() => state && { ...STATUS, state })
    expect([(await ask("/healthz")).code, (await ask("/readyz")).code]).toEqual([healthz, readyz])
  })

  test("/status gives the status, and what is not there is told with what is", async () => {
    await serve(() => STATUS)
    const { body, type } = await ask("/status?x=1")
    expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(STATUS)))
    expect(type).toBe("application/json")
    expect(await ask("/nothing")).toMatchObject({ code: 404, body: "/healthz\n/readyz\n/status\n/metrics\n" })
    expect((await ask("/status", "POST")).code).toBe(405)
    expect(await ask("/status", "HEAD")).toMatchObject({ code: 200, body: "" })
  })

  test("before the job has recovered there is no status to give", async () => {
    await serve(() => undefined)
    expect((await ask("/status")).code).toBe(503)
    expect((await ask("/metrics")).code).toBe(503)
  })

  test("a port that is taken is refused in words", async () => {
    await serve(() => STATUS)
    const { port } = new URL(server!.url)
    const address = { port: Number(port) }
    await expect(serveStatus({ status: () => STATUS, commits: new CommitTimes() }, address)).rejects.toMatchObject({
      code: "address-unavailable",
      message: `The job cannot be served at 127.0.0.1:${port}: another process listens there.`,
      hint: expect.stringContaining("another port") as string,
    })
  })

  test("an address that is none of this machine is refused, with a hint at that", async () => {
    // The network of documentation (RFC 5737).
    const serving = serveStatus({ status: () => STATUS, commits: new CommitTimes() }, { host: "192.0.2.1", port: 0 })
    await expect(serving).rejects.toMatchObject({
      code: "address-unavailable",
      message: expect.stringContaining("192.0.2.1:0") as string,
      hint: expect.stringContaining("address of this machine") as string,
    })
  })
})

describe("metrics", () => {
  const text = () => {
    const commits = new CommitTimes()
    for (const micros of [300, 700, 700, 20_000_000]) commits.add(micros)
    return metricsText(STATUS, commits)
  }

  test("MT1 each line is a help, a type or a sample, and each metric has one of the first two before its samples", () => {
    const told = new Set<string>()
    let current = ""
    for (const line of text().trimEnd().split("\n")) {
      const help = /^# HELP (\w+) \S/.exec(line)?.[1]
      if (help !== undefined) {
        expect(told).not.toContain(help)
        told.add((current = help))
      } else if (line.startsWith("# TYPE"))
        expect(line).toMatch(new RegExp(`^# TYPE ${current} (counter|gauge|histogram)$`))
      else
        expect(line).toMatch(
          new RegExp(`^${current}(_bucket|_sum|_count)?\\{(\\w+="(\\\\.|[^"\\\\])*",?)+\\} -?[\\d.e+-]+$`),
        )
    }
    expect(told.size).toBeGreaterThan(12)
    expect(text()).toContain('tidemark_rows_in_total{job="a \\"job\\"\\\\",input="trips"} 5\n')
    expect(text()).toMatch(/tidemark_event_time_watermark_seconds\{[^}]*event_time="trips\/eventTime"\} 1\n/)
    expect(text()).toMatch(/tidemark_watermark_lag_seconds\{[^}]*\} 2\.5\n/)
    expect(text()).toMatch(/tidemark_partition_behind_seconds\{[^}]*partition="a\.csv"\} 0\.5\n/)
  })

  test("MT2 what there is not is left out", () => {
    expect(text()).not.toContain("input_total")
  })

  test("CT1 the histogram of commits counts each in every bucket that it fits", () => {
    const counts = [...text().matchAll(/commit_seconds_bucket\{.*le="([^"]+)"\} (\d+)/g)].map(([, le, count]) => [
      le,
      Number(count),
    ])
    expect(counts.slice(0, 3)).toEqual([
      ["0.0005", 1],
      ["0.001", 3],
      ["0.0025", 3],
    ])
    expect(counts.slice(-2)).toEqual([
      ["10", 3],
      ["+Inf", 4],
    ])
    const all = counts.map(([, count]) => count as number)
    expect(all).toEqual([...all].sort((one, other) => one - other))
    expect(text()).toMatch(/commit_seconds_sum\{[^}]*\} 20\.0017\n.*commit_seconds_count\{[^}]*\} 4\n/)
  })
})

/**
 * A job goes on from state that an earlier Tidemark has written (`kept-state/`: forty payments, with `--no-drain`, by the version before state
 * could go over to other types), with a program whose state is of another type.
 */
import { spawnSync } from "node:child_process"
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")
const KEPT = resolve("test/kept-state")

/** The total of an account is cents and not euros now, and knows its currency. */
const jobWith = (options: string): string => `
import { count, job, migration, schema, sum, t, tumbling, valueState } from "tidemark"
import { jsonl } from "tidemark/files"

const Money = t.object({ cents: t.int53, currency: t.string })

export default job({
  name: "accounts",
  inputs: { payments: schema({ at: t.timestamp(), account: t.string, euros: t.float64 }) },
  flow: ({ payments }) => {
    const timed = payments.eventTime("at", { outOfOrder: "0s" }).keyBy("account")
    return {
      totals: timed.process(
        {
          emits: { account: t.string, at: t.timestamp(), total: t.string },
          state: { total: valueState(Money${options}), seen: valueState(t.timestamp()) },
          onRecord(row, { state, emit }) {
            const { cents, currency } = state.total.get() ?? { cents: 0, currency: "EUR" }
            const total = { cents: cents + Math.round(row.euros * 100), currency }
            state.total.set(total)
            state.seen.set(row.at)
            emit({ account: row.account, at: row.at, total: (total.cents / 100).toFixed(2) })
          },
        },
        { id: "totals" },
      ),
      hourly: timed.window(tumbling("1h")).aggregate({ payments: count(), euros: sum("euros") }, { id: "hourly" }),
    }
  },
}).with({
  inputs: { payments: jsonl("payments.jsonl") },
  outputs: { totals: jsonl("out/totals"), hourly: jsonl("out/hourly") },
})
`
const MIGRATED =
  ', { migrate: [migration(t.float64, (euros) => ({ cents: Math.round(euros * 100), currency: "EUR" }))] }'

let directory = ""

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-upgrade-"))
  cpSync(join(KEPT, "payments.jsonl"), join(directory, "payments.jsonl"))
  cpSync(join(KEPT, "state"), join(directory, ".tidemark/accounts"), { recursive: true })
  cpSync(join(KEPT, "published"), join(directory, "out"), { recursive: true })
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function run(options: string) {
  writeFileSync(join(directory, "job.ts"), jobWith(options))
  const env = { ...process.env, NO_COLOR: "1" }
  const { status, stderr } = spawnSync(process.execPath, [CLI, "run", "job.ts"], {
    cwd: directory,
    encoding: "utf8",
    env,
  })
  return { status, stderr }
}

function published(output: string): unknown[] {
  const names = readdirSync(join(directory, "out", output)).filter((name) => name.startsWith("part-"))
  const lines = names.sort().flatMap((name) =>
    readFileSync(join(directory, "out", output, name), "utf8")
      .trimEnd()
      .split("\n"),
  )
  return lines.map((line) => JSON.parse(line) as unknown)
}

interface Payment {
  readonly at: string
  readonly account: string
  readonly euros: number
}

/** What both outputs must have, by a plain loop. */
function expected() {
  const payments = readFileSync(join(directory, "payments.jsonl"), "utf8").trimEnd().split("\n")
  const cents = new Map<string, number>()
  const hours = new Map<string, { account: string; windowStart: string; payments: number; euros: number }>()
  const totals = payments.map((line) => {
    const { at, account, euros } = JSON.parse(line) as Payment
    cents.set(account, (cents.get(account) ?? 0) + Math.round(euros * 100))
    const windowStart = `${at.slice(0, 13)}:00:00Z`
    const hour = hours.get(`${windowStart} ${account}`) ?? { account, windowStart, payments: 0, euros: 0 }
    hours.set(`${windowStart} ${account}`, { ...hour, payments: hour.payments + 1, euros: hour.euros + euros })
    return { account, at: at.replace(".000", ""), total: (cents.get(account)! / 100).toFixed(2) }
  })
  return { totals, hourly: [...hours.values()] }
}

test("P16 state of the version before is refused without a migration, then goes over, and each row is there once", () => {
  const refused = run("")
  expect(refused.status).toBe(1)
  expect(refused.stderr).toContain(
    'error state-foreign: The state in .tidemark/accounts does not fit the job accounts: its operator totals has changed: the values of its state total were float64 and are now object({ "cents": int53, "currency": string }).'.replace(
      ".tidemark",
      join(directory, ".tidemark"),
    ),
  )
  expect(refused.stderr).toContain(
    "Say what becomes of them: valueState(..., { migrate: [migration(float64, (value) => ...)] })",
  )
  expect(published("totals")).toHaveLength(40)

  const more = Array.from({ length: 20 }, (_, index) => ({
    at: new Date(Date.UTC(2026, 0, 1, 12, index * 7)).toISOString(),
    account: `a${index % 4}`,
    euros: index / 2,
  }))
  appendFileSync(join(directory, "payments.jsonl"), more.map((each) => `${JSON.stringify(each)}\n`).join(""))
  const migrated = run(MIGRATED)
  expect(migrated.status, migrated.stderr).toBe(0)
  expect(migrated.stderr).toContain("the state of totals has gone over to this version: ")
  const { totals, hourly } = expected()
  expect(published("totals")).toEqual(totals)
  expect(published("hourly")).toHaveLength(hourly.length)
  expect(published("hourly")).toEqual(
    expect.arrayContaining(hourly.map((row) => expect.objectContaining(row) as unknown)),
  )

  // From here on the migration is not needed any more.
  expect(run("").status).toBe(0)
})

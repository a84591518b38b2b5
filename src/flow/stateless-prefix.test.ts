/** How far the stateless prefix of an input reaches, and what is left of the plan behind it. */
import { describe, expect, test } from "vitest"
import { Arena } from "../batch/arena.ts"
import { batchOfRows } from "../batch/batch.ts"
import { schema, type RowOfColumns, type Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { count, sum } from "../stream/aggregates.ts"
import { job } from "../stream/job.ts"
import type { AppendStream } from "../stream/stream.ts"
import { tumbling } from "../stream/windows.ts"
import { Dataflow } from "./dataflow.ts"
import type { Plan } from "./plan.ts"
import {
  columnsOfPrefix,
  planBehind,
  planOfPrefix,
  PREFIX_OUTPUT,
  prefixFingerprint,
  statelessPrefix,
} from "./stateless-prefix.ts"

const Click = schema({
  at: t.timestamp({ format: "us" }),
  page: t.string,
  user: t.string,
  bytes: t.int53.nullable(),
  note: t.string.nullable(),
})
type ClickRow = typeof Click extends Schema<infer C> ? RowOfColumns<C> : never
const Params = schema({ least: t.int53.default(3), token: t.string.default("x") })
const compile = { mode: "auto", proof: undefined } as const

function prefixOf(plan: Plan, onError: "dead-letter" | "stop" = "dead-letter") {
  const { nodes, reason } = statelessPrefix(plan, "clicks", { paramsSchema: Params, compile, onError })
  return { ids: nodes.map((at) => plan.nodes[at]!.id), reason }
}

const external = (page: string): boolean => page.length > 3

describe("the stateless prefix", () => {
  test("SP1 reaches to the last operator that discards rows or columns, and ends at what keeps state", () => {
    const { plan } = job({
      name: "clicks",
      inputs: { clicks: Click },
      flow: ({ clicks }) => ({
        perMinute: clicks
          .filter((row) => row.page !== "/")
          .derive({ double: t.float64 }, (row) => ({ double: (row.bytes ?? 0) * 2 }))
          .select("at", "page", "double")
          .derive({ more: t.float64 }, (row) => ({ more: row.double * 2 }))
          .eventTime("at", { outOfOrder: "1s" })
          .keyBy("page")
          .window(tumbling("1m"))
          .aggregate({ clicks: count() }),
      }),
    })
    expect(prefixOf(plan)).toEqual({
      ids: ["clicks/filter", "clicks/derive", "clicks/select"],
      reason: "clicks/eventTime keeps state",
    })
  })

  test("SP1 ends before lambdas that are not compiled, and where rows are taken in several places", () => {
    const { plan: closure } = job({
      name: "clicks",
      inputs: { clicks: Click },
      flow: ({ clicks }) => ({ rows: clicks.notNull("bytes").filter((row) => external(row.page)) }),
    })
    expect(prefixOf(closure)).toEqual({
      ids: ["clicks/notNull"],
      reason: "a lambda of clicks/filter is not compiled",
    })
    const { plan: both } = job({
      name: "clicks",
      inputs: { clicks: Click },
      flow: ({ clicks }) => ({ all: clicks, few: clicks.filter((row) => row.page === "/") }),
    })
    expect(prefixOf(both)).toEqual({
      ids: [],
      reason: "what clicks gives is taken in several places, or is an output",
    })
  })

  test("SP2 has nothing that may fail where that stops the job", () => {
    const { plan } = job({
      name: "clicks",
      inputs: { clicks: Click },
      flow: ({ clicks }) => ({ rows: clicks.filter((row) => row.note!.length > 3) }),
    })
    expect(prefixOf(plan).ids).toEqual(["clicks/filter"])
    expect(prefixOf(plan, "stop")).toEqual({
      ids: [],
      reason: "a lambda of clicks/filter may fail, which stops the job",
    })
  })

  test("SP4 reads what its operators read or leave, and all that a row has which may fail", () => {
    const context = { paramsSchema: Params, compile, onError: "dead-letter" } as const
    const columnsOf = (flow: (clicks: AppendStream<ClickRow>) => AppendStream<object>) => {
      const { plan } = job({
        name: "clicks",
        inputs: { clicks: Click },
        flow: ({ clicks }) => ({ rows: flow(clicks) }),
      })
      return [...columnsOfPrefix(plan, statelessPrefix(plan, "clicks", context), context)].sort()
    }
    expect(columnsOf((clicks) => clicks.select("page"))).toEqual(["page"])
    expect(columnsOf((clicks) => clicks.filter((row) => row.user !== "x").select("at", "page"))).toEqual([
      "at",
      "page",
      "user",
    ])
    const all = ["at", "bytes", "note", "page", "user"]
    expect(columnsOf((clicks) => clicks.filter((row) => row.note!.length > 3).select("page"))).toEqual(all)
    expect(columnsOf((clicks) => clicks.derive({ n: t.int32 }, () => ({ n: 0.5 })).select("n"))).toEqual(all)
    expect(
      columnsOf((clicks) =>
        clicks
          .notNull("bytes")
          .select("page")
          .filter((row) => row.page > "a"),
      ),
    ).toEqual(["bytes", "page"])
    const half = (row: ClickRow) => ({ half: row.at / 2, page: row.page })
    expect(columnsOf((clicks) => clicks.map({ half: t.float64, page: t.string }, half))).toEqual(["at", "page"])
    expect(columnsOf((clicks) => clicks.map({ half: t.int53, page: t.string }, half))).toEqual(all)
    const renamed = (row: ClickRow) => ({ user: row.page })
    expect(columnsOf((clicks) => clicks.derive({ user: t.string }, renamed).select("user", "at"))).toEqual([
      "at",
      "page",
    ])
    expect(columnsOf((clicks) => clicks.select("user", "note").filter((row) => row.note!.length > 3))).toEqual([
      "note",
      "user",
    ])
  })

  test("SP2 has nothing that may give a value of another type where that stops the job", () => {
    const { plan } = job({
      name: "clicks",
      inputs: { clicks: Click },
      flow: ({ clicks }) => ({
        rows: clicks.derive({ half: t.int32 }, (row) => ({ half: row.at / 2 })).select("half"),
      }),
    })
    expect(prefixOf(plan).ids).toEqual(["clicks/derive", "clicks/select"])
    expect(prefixOf(plan, "stop")).toEqual({
      ids: [],
      reason: "a lambda of clicks/derive may fail, which stops the job",
    })
  })

  test("SP3 and the plan behind it give what the whole plan gives", () => {
    const { plan, paramsSchema } = job({
      name: "clicks",
      params: Params,
      inputs: { other: Click, clicks: Click },
      flow: ({ other, clicks }) => {
        const large = clicks.filter((row, p) => (row.bytes ?? 0) >= p.least).select("at", "page", "bytes")
        const perMinute = large
          .eventTime("at", { outOfOrder: "1s" })
          .keyBy("page")
          .window(tumbling("1m"))
          .aggregate({ clicks: count(), bytes: sum("bytes") })
        const all = large.union(other.select("at", "page", "bytes"))
        return { perMinute, late: perMinute.late, all }
      },
    })
    const prefix = statelessPrefix(plan, "clicks", { paramsSchema, compile, onError: "dead-letter" })
    expect(prefix.nodes).toHaveLength(2)
    const arena = new Arena({ maxBytes: 1 << 22 })
    const rows = Array.from({ length: 500 }, (_, n) => ({
      at: 1e15 + ((n * 7919) % 500) * 1_000_000,
      page: `/${n % 3}`,
      user: `user ${n}`,
      bytes: n % 5 === 0 ? null : n % 11,
      note: null,
    }))
    const flowOf = (own: Plan, emit: (output: string, rows: unknown[]) => void) =>
      new Dataflow(own, {
        arena,
        paramsSchema,
        params: { least: 3, token: "x" },
        compile,
        onFailedRow: () => expect.fail("no row fails"),
        emit: (output, batch) => emit(output, batch.toRows()),
      })
    const run = (own: Plan, into: Map<string, unknown[]>) =>
      flowOf(own, (output, some) => void into.set(output, [...(into.get(output) ?? []), ...some]))
    const origin = { partition: 0, offsets: null, ordinals: null }
    const whole = new Map<string, unknown[]>()
    const parts = new Map<string, unknown[]>()
    const [full, rest] = [run(plan, whole), run(planBehind(plan, [prefix]), parts)]
    const behind = planBehind(plan, [prefix]).nodes.find((node) => node.id === "clicks")!.schema
    const before = flowOf(planOfPrefix(plan, prefix), (output, some) => {
      expect(output).toBe(PREFIX_OUTPUT)
      const kept = batchOfRows(arena, behind, some as Record<string, unknown>[], origin)
      rest.push("clicks", kept.batch)
      kept.release()
    })
    for (const each of [full, rest]) each.openPartition("clicks", 0)
    for (let from = 0; from < rows.length; from += 90) {
      const { batch, release } = batchOfRows(arena, Click, rows.slice(from, from + 90), origin)
      full.push("clicks", batch)
      before.push("clicks", batch)
      release()
      for (const each of [full, rest]) each.advance()
    }
    for (const each of [full, rest]) each.drain()
    expect(whole.get("perMinute")!.length).toBeGreaterThan(3)
    expect(parts).toEqual(whole)
    expect(rest.states.map(({ id, signature }) => [id, signature])).toEqual(
      full.states.map(({ id, signature }) => [id, signature]),
    )
    for (const each of [full, rest, before]) each.release()
    expect(arena.usedBytes).toBe(0)
  })

  test("SP1 is told from others by its operators and parameters, but for secrets", () => {
    const planOf = (least: 1 | 2) =>
      job({
        name: "clicks",
        inputs: { clicks: Click },
        flow: ({ clicks }) => ({
          rows: least === 1 ? clicks.filter((row) => row.page > "/1") : clicks.filter((row) => row.page > "/2"),
        }),
      }).plan
    const Secret = schema({ least: t.int53, token: t.secret })
    const of = (plan: Plan, params: Record<string, unknown>) => {
      const prefix = statelessPrefix(plan, "clicks", { paramsSchema: Secret, compile, onError: "dead-letter" })
      return prefixFingerprint(plan, prefix, Secret, params)
    }
    const one = of(planOf(1), { least: 1, token: "a" })
    expect(of(planOf(1), { least: 1, token: "b" })).toBe(one)
    expect(of(planOf(1), { least: 2, token: "a" })).not.toBe(one)
    expect(of(planOf(2), { least: 1, token: "a" })).not.toBe(one)
  })
})

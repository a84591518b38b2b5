/** The operators without state, each behind a source in a small plan. */
import { describe, expect, it } from "vitest"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import type { From } from "../plan-fixture.reference.ts"
import { partitionEvent, PlanFixture, rows, runPlan } from "../plan-fixture.reference.ts"
import { NotNull } from "./not-null.ts"
import type { Row } from "../windows/window-aggregate.reference.ts"

const COLUMNS = { n: t.int53, tip: t.float64.nullable(), name: t.string }
const RECORDS: readonly Row[] = [
  { n: 1, tip: 0.5, name: "a" },
  { n: 2, tip: null, name: "b" },
  { n: 3, tip: -0, name: "" },
]

/** Runs the records through what `build` puts behind a source. */
function through(build: (fixture: PlanFixture, source: From) => From, records = RECORDS) {
  const fixture = new PlanFixture()
  fixture.output("out", build(fixture, fixture.source(COLUMNS)))
  const run = runPlan(fixture.plan, [partitionEvent("open", 0), rows(0, ...records)])
  const failures = [...run.failures].map(([operator, failed]) => [operator, failed.map(({ n }) => n)])
  return { out: run.outputs.get("out")!, failures: Object.fromEntries(failures) as unknown }
}

describe("filter", () => {
  it("keeps rows for which the predicate is truthy, in order", () => {
    expect(through((plan, from) => plan.filter(from, (row: Row) => row["name"])).out).toEqual([RECORDS[0], RECORDS[1]])
    expect(through((plan, from) => plan.filter(from, (row: Row) => row["tip"])).out).toEqual([RECORDS[0]])
  })

  it("narrows what another filter has left", () => {
    const { out } = through((plan, from) => {
      return plan.filter(
        plan.filter(from, (row: Row) => row["n"] !== 1),
        (row: Row) => row["n"] !== 2,
      )
    })
    expect(out).toEqual([RECORDS[2]])
  })

  it("reports a row whose predicate throws, and keeps the others", () => {
    const { out, failures } = through((plan, from) =>
      plan.filter(from, (row: Row) => {
        if (row["n"] === 2) throw new Error("two")
        return true
      }),
    )
    expect(out).toEqual([RECORDS[0], RECORDS[2]])
    expect(failures).toEqual({ filter1: [2] })
  })
})

describe("derive", () => {
  it("adds columns behind the others, and replaces one of the same name in its place", () => {
    const { out } = through((plan, from) =>
      plan.derive(from, { twice: t.int53, name: t.string }, (row: Row) => ({
        twice: (row["n"] as number) * 2,
        name: `${row["name"] as string}!`,
      })),
    )
    expect(out.map((row) => Object.entries(row))).toEqual([
      Object.entries({ n: 1, tip: 0.5, name: "a!", twice: 2 }),
      Object.entries({ n: 2, tip: null, name: "b!", twice: 4 }),
      Object.entries({ n: 3, tip: -0, name: "!", twice: 6 }),
    ])
  })

  it("drops and reports rows whose lambda throws or gives a value of another type", () => {
    const { out, failures } = through((plan, from) =>
      plan.derive(from, { twice: t.int53 }, (row: Row) => {
        if (row["n"] === 3) throw new Error("three")
        return { twice: row["n"] === 1 ? 0.5 : 4 }
      }),
    )
    expect(out).toEqual([{ ...RECORDS[1], twice: 4 }])
    expect(failures).toEqual({ derive1: [1, 3] })
  })

  it("looks at rows that a filter has left, and at no other", () => {
    const seen: unknown[] = []
    const { out } = through((plan, from) =>
      plan.derive(
        plan.filter(from, (row: Row) => row["n"] !== 2),
        { m: t.int53 },
        (row: Row) => {
          seen.push(row["n"])
          return { m: row["n"] }
        },
      ),
    )
    expect(seen).toEqual([1, 3])
    expect(out.map(({ m }) => m)).toEqual([1, 3])
  })
})

describe("map", () => {
  it("makes each row anew from what the lambda gives", () => {
    const { out, failures } = through((plan, from) =>
      plan.map(from, { label: t.string.nullable() }, (row: Row) => ({ label: row["n"] === 2 ? null : row["name"] })),
    )
    expect(out).toEqual([{ label: "a" }, { label: null }, { label: "" }])
    expect(failures).toEqual({})
  })

  it("drops and reports rows whose lambda fails", () => {
    const { out, failures } = through((plan, from) =>
      plan.map(from, { label: t.string }, (row: Row) => ({ label: row["tip"] === null ? null : row["name"] })),
    )
    expect(out).toEqual([{ label: "a" }, { label: "" }])
    expect(failures).toEqual({ map1: [2] })
  })
})

describe("select", () => {
  it("keeps columns in the order given", () => {
    const { out } = through((plan, from) => plan.select(from, "name", "n"))
    expect(out.map((row) => Object.keys(row))).toEqual([
      ["name", "n"],
      ["name", "n"],
      ["name", "n"],
    ])
    expect(out[0]).toEqual({ name: "a", n: 1 })
  })
})

describe("notNull", () => {
  it("drops rows with a null in one of the columns, and −0 is none", () => {
    expect(through((plan, from) => plan.notNull(from, "tip")).out).toEqual([RECORDS[0], RECORDS[2]])
  })

  it("makes the columns required for what comes behind", () => {
    const fixture = new PlanFixture()
    const known = fixture.notNull(fixture.source(COLUMNS), "tip", "name")
    fixture.output(
      "out",
      fixture.filter(known, (row: Row) => row["n"] !== 1),
    )
    const { outputs } = runPlan(fixture.plan, [partitionEvent("open", 0), rows(0, ...RECORDS)])
    expect(fixture.plan.nodes[known]!.schema.field("tip")!.type.label).toBe("float64")
    expect(outputs.get("out")).toEqual([RECORDS[2]])
  })

  it("gives columns that say themselves that they are never null", () => {
    const input = schema(COLUMNS)
    const required = schema({ ...COLUMNS, tip: t.float64 })
    const arena = new Arena({ maxBytes: 1 << 16 })
    const { batch, release } = batchOfRows(arena, input, RECORDS)
    const labels: unknown[] = []
    new NotNull(input, required, ["tip"], arena).onBatch(batch, {
      emit: (_, { columns }) => labels.push(...columns.map(({ type, validity }) => [type.label, validity])),
    })
    release()
    expect(labels).toEqual([
      ["int53", null],
      ["float64", null],
      ["string", null],
    ])
  })

  it("gives nothing where every row has a null", () => {
    expect(through((plan, from) => plan.notNull(from, "tip"), [RECORDS[1]!]).out).toEqual([])
  })
})

import { describe, expect, it } from "vitest"
import { Arena } from "../batch/arena.ts"
import { allocateColumns, MAX_BATCH_ROWS } from "../batch/batch.ts"
import { readValue, type DictionaryColumn } from "../batch/column.ts"
import { schema } from "../batch/schema.ts"
import type { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"
import { batchOf, CLOSURES, lambdaOf, PARAMS, project, TRIP, TRIP_PARAMS, TRIPS, TRUSTING } from "./lambda.fixture.ts"
import type { TripLambda } from "./lambda.fixture.ts"
import { compileProjection } from "./projection.ts"

/** Both forms of a lambda, which must say the same. */
function both(lambda: TripLambda, targets: Parameters<typeof project>[1]) {
  const [compiled, closure] = [TRUSTING, CLOSURES].map((options) => project(lambda, targets, options))
  expect({ ...compiled!, form: null }).toEqual({ ...closure!, form: null })
  return compiled!
}

describe("projections", () => {
  it("PJ1 write a column of each type", () => {
    const targets = schema({
      ...{ a: t.float64, b: t.float64.nullable(), c: t.int32, d: t.int53, e: t.timestamp().nullable(), f: t.int64 },
      ...{
        g: t.int64.nullable(),
        h: t.string,
        i: t.string.nullable(),
        j: t.enum("taxi", "van", "?"),
        k: t.bool.nullable(),
      },
    })
    const outcome = both(
      (row, params) => ({
        a: -row.fare,
        b: row.tip,
        c: row.riders,
        d: row.meters,
        e: row.isPaid ? row.at : null,
        f: row.id,
        g: row.parent === null ? null : row.parent * 2n,
        h: row.zone,
        i: row.isPaid ? (row.note ?? "none") : (row.car?.plate ?? params.zone),
        j: row.note === "" ? "?" : row.kind,
        k: row.isShared,
      }),
      targets,
    )
    expect(outcome.form.kind).toBe("compiled")
    expect(outcome.failures).toEqual([])
    expect(outcome.rows).toEqual([
      ...[
        {
          a: -12.5,
          b: null,
          c: 1,
          d: 2 ** 53 - 1,
          e: 1_700_000_000_000_000,
          f: 1n,
          g: null,
          h: "JFK",
          i: "none",
          j: "taxi",
          k: null,
        },
      ],
      ...[
        { a: 0, b: 2, c: -3, d: -(2 ** 53 - 1), e: null, f: -(2n ** 63n), g: 14n, h: "", i: "X 1", j: "van", k: true },
      ],
      ...[{ a: NaN, b: 0, c: 0, d: 0, e: 0, f: 2n ** 63n - 1n, g: 0n, h: "LGA", i: "", j: "?", k: false }],
      ...[
        {
          a: -1000,
          b: Infinity,
          c: 1,
          d: 2 ** 53 - 1,
          e: 1_700_000_000_000_000,
          f: 3n,
          g: null,
          h: "JFK",
          i: "JFK",
          j: "taxi",
          k: null,
        },
      ],
    ])
  })

  it("PJ1 say the same of values of the wrong type", () => {
    const cases: readonly (readonly [TripLambda, Parameters<typeof project>[1], readonly string[]])[] = [
      [
        (row) => ({ x: row.fare }),
        schema({ x: t.int32 }),
        [
          '0: TidemarkError: the lambda gave 12.5 for the column "x", which is not a whole number',
          '2: TidemarkError: the lambda gave NaN for the column "x", which is not a whole number',
        ],
      ],
      [
        (row) => ({ x: row.meters * row.riders }),
        schema({ x: t.int53 }),
        [
          '1: TidemarkError: the lambda gave 27021597764222972 for the column "x", which is outside the range of int53 (-9007199254740991 to 9007199254740991)',
        ],
      ],
      [
        (row) => ({ x: row.riders * 2 ** 31 }),
        schema({ x: t.int32 }),
        [
          '0: TidemarkError: the lambda gave 2147483648 for the column "x", which is outside the range of int32 (-2147483648 to 2147483647)',
          '1: TidemarkError: the lambda gave -6442450944 for the column "x", which is outside the range of int32 (-2147483648 to 2147483647)',
          '3: TidemarkError: the lambda gave 2147483648 for the column "x", which is outside the range of int32 (-2147483648 to 2147483647)',
        ],
      ],
      [
        (row) => ({ x: row.id * 2n }),
        schema({ x: t.int64 }),
        [
          '1: TidemarkError: the lambda gave -18446744073709551616n for the column "x", which is outside the range of int64 (-9223372036854775808 to 9223372036854775807)',
          '2: TidemarkError: the lambda gave 18446744073709551614n for the column "x", which is outside the range of int64 (-9223372036854775808 to 9223372036854775807)',
        ],
      ],
      [
        (row) => ({ x: row.tip }),
        schema({ x: t.float64 }),
        ['0: TidemarkError: the lambda gave null for the column "x", which is null, and the column is not nullable'],
      ],
      [
        (row) => ({ x: row.car?.doors }),
        schema({ x: t.int32.nullable() }),
        [
          '0: TidemarkError: the lambda gave no value for the column "x"',
          '3: TidemarkError: the lambda gave no value for the column "x"',
        ],
      ],
      [
        (row) => ({ x: row.zone }),
        schema({ x: t.enum("JFK", "LGA") }),
        ['1: TidemarkError: the lambda gave "" for the column "x", which is not one of "JFK", "LGA"'],
      ],
      [
        (row) => ({ x: row.isPaid && "yes" }),
        schema({ x: t.bool }),
        [
          '0: TidemarkError: the lambda gave "yes" for the column "x", which is not a boolean',
          '2: TidemarkError: the lambda gave "yes" for the column "x", which is not a boolean',
          '3: TidemarkError: the lambda gave "yes" for the column "x", which is not a boolean',
        ],
      ],
      [
        (row) => ({ x: row.id }),
        schema({ x: t.float64 }),
        [
          '0: TidemarkError: the lambda gave 1n for the column "x", which is not a number',
          '1: TidemarkError: the lambda gave -9223372036854775808n for the column "x", which is not a number',
          '2: TidemarkError: the lambda gave 9223372036854775807n for the column "x", which is not a number',
          '3: TidemarkError: the lambda gave 3n for the column "x", which is not a number',
        ],
      ],
    ]
    for (const [lambda, targets, failures] of cases) {
      const outcome = both(lambda, targets)
      expect(outcome.form.kind).toBe("compiled")
      expect(outcome.failures).toEqual(failures)
      expect(outcome.rows).toHaveLength(TRIPS.length - failures.length)
    }
  })

  it("refuse what is no object of columns, for each row", () => {
    const shown: readonly (readonly [unknown, string])[] = [
      [undefined, "undefined"],
      [null, "null"],
      [-0, "-0"],
      ["x".repeat(100), `"${"x".repeat(79)}…`],
      [Symbol("s"), "a symbol"],
      [() => 1, "a function"],
      [5n, "5n"],
    ]
    for (const [value, text] of shown) {
      const outcome = project(() => value, schema({ x: t.float64 }), TRUSTING)
      expect(outcome.failures[3]).toBe(`3: TidemarkError: the lambda gave ${text}, which is not an object of columns`)
    }
    const nested = schema({ x: t.object({ y: t.float64 }) })
    expect(project(() => ({ x: [] }), nested, TRUSTING).failures[0]).toBe(
      '0: TidemarkError: the lambda gave an array for the column "x", which is not an object',
    )
    const throwing = {
      get x(): number {
        throw new Error("no")
      },
    }
    expect(project(() => throwing, schema({ x: t.float64 }), TRUSTING).failures[0]).toBe(
      "0: TidemarkError: the lambda threw Error: no",
    )
  })

  it("say why an object is not compiled", () => {
    const reasons: readonly (readonly [string, string])[] = [
      ["(r) => ({})", 'Its object lacks the column "x".'],
      ["(r) => r.fare", "It gives something other than an object written out in it."],
      ["(r) => r.driver", "It gives something other than an object written out in it."],
      ["(r) => ({ x: r.driver })", "It gives an object of the row as a whole."],
      ["(r) => ({ x: {} })", "It uses an object other than its result, which is not compiled."],
      ["(r) => ({ ...r.driver, x: 1 })", 'It uses "..." in its result.'],
      ["(r) => ({ x() { return 1 } })", "Its result has a member that is not a plain value."],
      ["(r) => ({ get x() { return 1 } })", "Its result has a member that is not a plain value."],
      ["(r) => ({ __proto__: 1, x: 1 })", "Its result has a member that is not a plain value."],
      ["(r) => ({ [r.zone]: 1 })", "It has a property whose name is computed."],
      ["(r) => r.isPaid ? { x: 1 } : { x: 1, y: 2 }", "It gives objects with different columns."],
      ["(r) => r.isPaid ? { x: 1 } : 1", "It gives an object on one way and a value on another."],
      ["(r) => { if (r.isPaid) return { x: 1 } }", "It gives an object on one way and a value on another."],
    ]
    for (const [text, reason] of reasons) {
      expect(project(lambdaOf(text), schema({ x: t.float64 }), TRUSTING).form).toMatchObject({ reason })
    }
    const object = schema({ x: t.object({ y: t.float64 }) })
    expect(project(lambdaOf("(r) => ({ x: { y: r.fare } })"), object, TRUSTING)).toMatchObject({
      form: { reason: "It uses an object other than its result, which is not compiled." },
      rows: [{ x: { y: 12.5 } }, { x: { y: -0 } }, { x: { y: NaN } }, { x: { y: 1000 } }],
    })
    expect(project(lambdaOf("(r) => ({ x: r.fare })"), object, TRUSTING).form).toMatchObject({
      reason: 'It gives an object for the column "x", which is not compiled.',
    })
  })

  it("take the last of equal names, and objects on several ways", () => {
    const targets = schema({ x: t.float64, y: t.string })
    const texts = [
      "(r) => ({ x: r.zone, y: 'a', 'x': 2 })",
      "(r) => r.isPaid ? { x: 1, y: r.zone } : { y: 'no', x: r.tip ?? 0 }",
      "(r) => { const y = r.zone; if (r.isPaid) return { x: 1, y }; return { x: r.riders, y: y + y, z: 1, y: 'z' } }",
    ]
    for (const text of texts.slice(0, 2)) expect(both(lambdaOf(text), targets).form.kind).toBe("compiled")
    expect(both(lambdaOf(texts[2]!), targets).form.kind).toBe("closure")
  })

  it("give the value of one column", () => {
    const { batch, columns } = targetsOf(t.float64)
    for (const options of [TRUSTING, CLOSURES]) {
      const failures: string[] = []
      const projection = compileProjection({
        lambda: lambdaOf("(r, p) => r.tip + p.maxFare === Infinity ? 'no' : r.tip + p.maxFare"),
        ...{ schema: TRIP, params: PARAMS, options, shape: "value", targets: [{ name: "value", type: t.float64 }] },
      })
      projection.project(batch, TRIP_PARAMS, columns, (row, error) => failures.push(`${row}: ${String(error)}`))
      expect(projection.form.kind).toBe(options === TRUSTING ? "compiled" : "closure")
      expect([0, 1, 2].map((row) => readValue(columns[0]!, row))).toEqual([100, 102, 100])
      expect(failures).toEqual(['3: TidemarkError: the lambda gave "no", which is not a number'])
    }
    const nothing = compileProjection({
      ...{ lambda: lambdaOf("() => undefined"), schema: TRIP, params: PARAMS, options: TRUSTING },
      ...{ shape: "value", targets: [{ name: "value", type: t.float64.nullable() }] },
    })
    const failures: string[] = []
    nothing.project(batch, TRIP_PARAMS, targetsOf(t.float64.nullable()).columns, (_, error) =>
      failures.push(String(error)),
    )
    expect(failures[0]).toBe("TidemarkError: the lambda gave undefined, which is not a value: undefined is not null")
  })

  it("PJ2 take the dictionary of a text that passes through", () => {
    const batch = batchOf(TRIP, TRIPS)
    const dictionaryOf = (text: string, type: typeof t.string) => {
      const { columns } = targetsOf(type)
      const projection = compileProjection({
        ...{ lambda: lambdaOf(text), schema: TRIP, params: PARAMS, options: TRUSTING },
        ...{ shape: "value", targets: [{ name: "value", type }] },
      })
      projection.project(batch, TRIP_PARAMS, columns, () => expect.unreachable())
      expect(readValue(columns[0]!, 3)).toBe(text.includes("kind") ? "taxi" : "JFK")
      return (columns[0] as DictionaryColumn).dictionary
    }
    const source = (name: string) => (batch.columns[TRIP.indexOf(name)] as DictionaryColumn).dictionary
    expect(dictionaryOf("(r) => r.zone", t.string)).toBe(source("zone"))
    expect(dictionaryOf("(r) => r.zone + ''", t.string)).not.toBe(source("zone"))
    // The dictionary of an enum is fixed, so nobody else may fill it.
    expect(dictionaryOf("(r) => r.kind", t.string)).not.toBe(source("kind"))
  })

  it("translate codes from batch to batch, whatever their dictionaries", () => {
    const projection = compileProjection({
      ...{ lambda: lambdaOf("(r) => r.isPaid ? r.zone : r.kind"), schema: TRIP, params: PARAMS, options: TRUSTING },
      ...{ shape: "value", targets: [{ name: "value", type: t.string }] },
    })
    const { columns } = targetsOf(t.string)
    for (let round = 0; round < 4; round++) {
      const zones = ["b", "a", `zone ${round}`, "a"]
      const rows = TRIPS.map((row, index) => ({ ...row, zone: zones[index] }))
      projection.project(batchOf(TRIP, rows), TRIP_PARAMS, columns, () => expect.unreachable())
      const written = [0, 1, 2, 3].map((row) => readValue(columns[0]!, row))
      expect(written).toEqual(["b", "van", `zone ${round}`, "a"])
    }
  })

  it("translate codes of dictionaries that grow, and into other ones", () => {
    const projection = compileProjection({
      ...{ lambda: lambdaOf("(r) => r.isPaid ? r.zone : 'no'"), schema: TRIP, params: PARAMS, options: TRUSTING },
      ...{ shape: "value", targets: [{ name: "value", type: t.string }] },
    })
    const batch = batchOf(TRIP, TRIPS)
    const zone = batch.columns[TRIP.indexOf("zone")] as DictionaryColumn
    const targets = [targetsOf(t.string).columns, targetsOf(t.string).columns] as const
    // Another order of texts, so that a code of the one dictionary means another text in the other.
    for (const text of ["LGA", "no", "JFK"]) (targets[1][0] as DictionaryColumn).dictionary.codeOf(text)
    for (let round = 0; round < 40; round++) {
      zone.values[2] = zone.dictionary.codeOf(`zone ${round}`)
      const columns = targets[round % 5 === 0 ? 1 : 0]
      projection.project(batch, TRIP_PARAMS, columns, () => expect.unreachable())
      expect([0, 1, 2, 3].map((row) => readValue(columns[0]!, row))).toEqual(["JFK", "no", `zone ${round}`, "JFK"])
    }
  })

  it("leave code 0 where a text is null", () => {
    const { batch, columns } = targetsOf(t.string.nullable())
    const column = columns[0] as DictionaryColumn
    for (const text of ["(r) => r.note", "(r) => r.isPaid ? null : 'x'", "(r) => r.note ? r.note + '!' : null"]) {
      column.values.fill(7)
      const projection = compileProjection({
        ...{ lambda: lambdaOf(text), schema: TRIP, params: PARAMS, options: TRUSTING },
        ...{ shape: "value", targets: [{ name: "value", type: t.string.nullable() }] },
      })
      projection.project(batch, TRIP_PARAMS, columns, () => expect.unreachable())
      expect([readValue(column, 0), column.values[0]]).toEqual([null, 0])
    }
  })

  it("fill the bitmap of a required column that has one", () => {
    const { batch, columns } = targetsOf(t.float64.nullable())
    const projection = compileProjection({
      ...{ lambda: lambdaOf("(r) => r.fare"), schema: TRIP, params: PARAMS, options: TRUSTING },
      ...{ shape: "value", targets: [{ name: "value", type: t.float64 }] },
    })
    projection.project(batch, TRIP_PARAMS, columns, () => expect.unreachable())
    expect(readValue(columns[0]!, 3)).toBe(1000)
  })

  it("work on a full batch", () => {
    const row = schema({ a: t.float64.nullable() })
    const rows = Array.from({ length: MAX_BATCH_ROWS }, (_, index) => ({ a: index % 3 === 0 ? null : index }))
    const outcome = project(lambdaOf("(r) => ({ b: r.a ?? -1 })"), schema({ b: t.int32 }), TRUSTING, batchOf(row, rows))
    expect(outcome.form.kind).toBe("compiled")
    expect(outcome.rows).toEqual(rows.map(({ a }) => ({ b: a ?? -1 })))
  })
})

function targetsOf(type: ColumnType) {
  const { columns } = allocateColumns(new Arena({ maxBytes: 1 << 14 }), schema({ value: type }), TRIPS.length)
  return { batch: batchOf(TRIP, TRIPS), columns }
}

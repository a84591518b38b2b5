/** TY33 to TY35: validators of rows, of zod and by hand. */
import { describe, expect, expectTypeOf, test } from "vitest"
import { z } from "zod"
import { schema } from "../src/batch/schema.ts"
import { t } from "../src/batch/types.ts"
import { memory } from "../src/connectors/memory/memory.ts"
import { stdout } from "../src/connectors/stdout/stdout.ts"
import type { JsonValue } from "../src/batch/types/json.ts"
import { explain } from "../src/observe/explain.ts"
import { explanationText } from "../src/observe/explanation-text.ts"
import { count } from "../src/stream/aggregates.ts"
import { job } from "../src/stream/job.ts"
import type { StandardValidator } from "../src/stream/standard-schema.ts"
import { tumbling } from "../src/stream/windows.ts"
import { runOnRows } from "../src/testing/run-on-rows.ts"

const Hook = schema({
  at: t.timestamp(),
  shop: t.string,
  price: t.float64.nullable(),
  payload: t.json,
})

const Checked = z.object({
  shop: z.string().trim().min(1),
  price: z.number().positive().nullable(),
  payload: z.object({
    items: z.array(z.object({ id: z.string(), units: z.number().int().default(1) })).min(1),
    "a note": z.string().optional(),
  }),
})

const hook = { at: 0, shop: " one ", price: 2, payload: { items: [{ id: "a" }, { id: "b", units: 3 }], more: [] } }

/** Runs rows through a validator. */
async function validated(validator: StandardValidator, rows: readonly object[]) {
  const checked = job({
    name: "checked",
    inputs: { hooks: Hook },
    flow: ({ hooks }) => ({ out: hooks.validate(validator, { id: "check" }) }),
  })
  return runOnRows(checked, { inputs: { hooks: rows as never } })
}

const refusals = (failed: readonly { readonly reason: string }[]) => failed.map(({ reason }) => reason)

describe("TY33", () => {
  test("what a validator gives replaces the columns that it names, and others stay", async () => {
    const { out, failedRows } = await validated(Checked, [hook])
    expect(failedRows).toEqual([])
    expect(out).toEqual([
      {
        at: 0,
        shop: "one",
        price: 2,
        payload: {
          items: [
            { id: "a", units: 1 },
            { id: "b", units: 3 },
          ],
        },
      },
    ])
  })

  test("row types follow it, of JSON whatever it gives, and of other columns where it is a part of their type", async () => {
    const typed = job({
      name: "typed",
      inputs: { hooks: Hook },
      flow: ({ hooks }) => {
        const checked = hooks.validate(Checked)
        const dated = hooks.validate(z.object({ shop: z.coerce.date(), price: z.literal(1) }))
        type Row = Parameters<Parameters<typeof checked.filter>[0]>[0]
        expectTypeOf<Row["payload"]["items"][number]>().toEqualTypeOf<{ id: string; units: number }>()
        expectTypeOf<Row["price"]>().toEqualTypeOf<number | null>()
        type Dated = Parameters<Parameters<typeof dated.filter>[0]>[0]
        expectTypeOf<Dated["shop"]>().toEqualTypeOf<string>()
        expectTypeOf<Dated["price"]>().toEqualTypeOf<1>()
        expectTypeOf<Dated["payload"]>().toEqualTypeOf<NonNullable<JsonValue>>()
        return {
          units: checked
            .derive({ units: t.int32 }, (r) => ({ units: r.payload.items.reduce((sum, { units }) => sum + units, 0) }))
            .eventTime("at", { outOfOrder: "0s" })
            .keyBy("shop")
            .window(tumbling("1s"))
            .aggregate({ hooks: count() }),
        }
      },
    })
    const { units } = await runOnRows(typed, { inputs: { hooks: [hook, hook] as never } })
    expect(units).toMatchObject([{ shop: "one", hooks: 2 }])
  })
})

describe("TY34", () => {
  test("a row that is refused fails, with the issues and their paths", async () => {
    const bad = { ...hook, shop: "  ", price: -1, payload: { items: [{ id: 7 }], "a note": 1 } }
    const { out, failedRows } = await validated(Checked, [hook, bad, { ...hook, payload: 5 }])
    expect(out.length).toBe(1)
    const [first, second] = refusals(failedRows)
    expect(first).toMatch(
      /^the validator refuses it: shop: .+; price: .+; payload\.items\[0\]\.id: .+; payload\["a note"\]: .+$/,
    )
    expect(second).toMatch(/^the validator refuses it: payload: /)
  })

  test("five issues are told, and how many more there are", async () => {
    const issues = Array.from({ length: 7 }, (_, at) => ({ message: `issue ${at}`, path: [{ key: "items" }, at] }))
    const { failedRows } = await validated(
      byHand(() => ({ issues })),
      [hook],
    )
    expect(refusals(failedRows)).toEqual([
      "the validator refuses it: items[0]: issue 0; items[1]: issue 1; items[2]: issue 2; items[3]: issue 3; items[4]: issue 4; and 2 more",
    ])
  })

  test("a row fails for which it throws, or gives what is not of a column's type", async () => {
    const answers: Record<string, () => unknown> = {
      "the validator threw RangeError: no": () => {
        throw new RangeError("no")
      },
      'the lambda gave 7 for the column "shop", which is not a string': () => ({ value: { ...hook, shop: 7 } }),
      'the lambda gave an object for the column "payload", which is JSON whose part ["at"] is an object, which JSON does not have':
        () => ({ value: { payload: { at: new Date() } } }),
      "the lambda gave null, which is not an object of columns": () => ({ value: null }),
    }
    for (const [reason, answer] of Object.entries(answers)) {
      const { failedRows } = await validated(byHand(answer), [hook])
      expect(refusals(failedRows)).toEqual([reason])
    }
  })

  test("no issues are no refusal, as libraries may say it", async () => {
    const { out } = await validated(
      byHand((value) => ({ value, issues: undefined })),
      [hook],
    )
    expect(out).toEqual([hook])
  })
})

describe("TY35", () => {
  test("a validator that answers with a promise stops the job", async () => {
    const slow = z.object({ shop: z.string().refine(() => Promise.resolve(true)) })
    const answers = [
      slow,
      byHand(() => Promise.resolve({ value: hook })),
      byHand(() => Promise.reject(new Error("no"))),
    ]
    for (const validator of answers) {
      await expect(validated(validator, [hook])).rejects.toMatchObject({
        code: "invalid-plan",
        hint: expect.stringContaining(".asyncMap(...)") as string,
      })
    }
  })

  test("what is no validator is refused", () => {
    for (const given of [undefined, {}, () => true, { "~standard": { version: 2, validate: () => 1 } }]) {
      const wrong = () =>
        job({
          name: "wrong",
          inputs: { hooks: Hook },
          flow: ({ hooks }) => ({ out: hooks.validate(given as unknown as StandardValidator) }),
        })
      expect(wrong).toThrow(/validate\(\.\.\.\) on hooks: .* is no validator/)
    }
  })

  test("explain says whose it is", () => {
    const checked = job({
      name: "checked",
      inputs: { hooks: Hook },
      flow: ({ hooks }) => ({ out: hooks.validate(Checked) }),
    })
    const told = checked.with({ inputs: { hooks: memory([hook as never]) }, outputs: { out: stdout() } })
    expect(explanationText(explain(told, { compile: { mode: "off", proof: undefined } }))).toContain(
      "a validator of zod",
    )
  })
})

function byHand(validate: (value: unknown) => unknown): StandardValidator {
  return { "~standard": { version: 1, vendor: "by hand", validate: validate as never } }
}

import { expect, it } from "vitest"
import { randomSchema } from "../../test/random-values.ts"
import { forEachSeed } from "../../test/seeds.ts"
import { schema } from "./schema.ts"
import { schemaData, schemaOfData } from "./schema-data.ts"
import { t } from "./types.ts"

it("SD1 makes the same schema of a schema's data, also after it was copied", () => {
  forEachSeed(300, (prng) => {
    const original = randomSchema(prng)
    expect(schemaOfData(structuredClone(schemaData(original))).label).toBe(original.label)
  })
})

it("SD1 keeps source names and defaults, those of null and of bigints too", () => {
  const original = schema({
    amount: t.int64.from("AMOUNT").default(5n),
    payer: t.object({ id: t.int53.from("ID"), name: t.string.nullable().default(null) }).nullable(),
    at: t.timestamp({ zone: "America/New_York" }).from("when"),
  })
  const made = schemaOfData(structuredClone(schemaData(original)))
  expect(made.label).toBe(original.label)
  expect(made.field("amount")!.type.fromMissing()).toBe(5n)
})

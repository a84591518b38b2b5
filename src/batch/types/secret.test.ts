import { expect, test } from "vitest"
import { Schema, schema } from "../schema.ts"
import { schemaData, schemaOfData } from "../schema-data.ts"
import { t } from "../types.ts"

test("SE1 nothing that the type makes of a value has anything of it", () => {
  for (const type of [t.secret, t.secret.nullable()]) {
    for (const text of ["", "x", "hunter2", "x".repeat(1000)]) {
      expect([type.toText(text), type.toJson(text), type.fromJson(text)]).toEqual(["***", '"***"', "***"])
      expect(type.check(text)).toBeUndefined()
    }
    expect(type.check(5)).toBe("not a string")
  }
})

test("a secret is no part of a list or of an object", () => {
  expect(() => t.list(t.secret)).toThrow("The elements of a list are no secrets: only parameters are.")
  expect(() => t.object({ token: t.secret })).toThrow("The fields of an object are no secrets: only parameters are.")
})

test("threads are told of the type", () => {
  const params = schema({ token: t.secret.from("TOKEN").nullable() })
  const told = schemaOfData(schemaData(params))
  expect(told).toBeInstanceOf(Schema)
  expect(told.label).toBe(params.label)
  expect(told.fields[0]!.type.definition.isSecret).toBe(true)
})

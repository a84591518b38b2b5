import { expect, test } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import { schema } from "../batch/schema.ts"
import { secretParams } from "../batch/secret-params.ts"
import { t } from "../batch/types.ts"
import { withKnownSecrets } from "./known-secrets.ts"
import type { ExecutableJob } from "./executable-job.ts"
import { SecretMask } from "./secret-mask.ts"

const mask = (params: Record<string, string | null>) => {
  const types = Object.keys(params).map((name) => [name, name === "zone" ? t.string : t.secret.nullable()] as const)
  return new SecretMask({ paramsSchema: schema(Object.fromEntries(types)), params })
}

test("SM1 a text shows no secret: as it is, in an address, in JSON, or within another", () => {
  const masked = mask({ token: 'a"b/c', longer: 'xa"b/cx', none: null, unknown: "", zone: "JFK" })
  expect(masked.text('a"b/c a%22b%2Fc a\\"b/c xa"b/cx JFK $&')).toBe("*** *** *** *** JFK $&")
})

test("SM1 an error shows none, nor do its stack, hint and causes", () => {
  const cause = new RangeError("inner hunter2", { cause: new AggregateError([new Error("hunter2")], "both hunter2") })
  const error = new TidemarkError("call-failed", "outer hunter2", { hint: "not hunter2", cause })
  const shown: unknown = mask({ token: "hunter2" }).error(error)
  expect(shown).toBe(error)
  expect(error).toMatchObject({ code: "call-failed", message: "outer ***", hint: "not ***" })
  expect(`${error.stack} ${cause.stack} ${String(cause.cause)}`).not.toContain("hunter2")
  expect((cause.cause as AggregateError).errors[0]).toMatchObject({ message: "***" })
  expect(mask({ token: "hunter2" }).error("a hunter2")).toBe("a ***")
})

test("SM1 a cause that is its own ends", () => {
  const error = new Error("hunter2")
  error.cause = error
  expect(mask({ token: "hunter2" }).error(error)).toMatchObject({ message: "***" })
})

test("secrets are asked for by the name of their variable, unless the program gives them", () => {
  const paramsSchema = schema({
    apiToken: t.secret,
    dbURLPath2: t.secret,
    pin: t.secret.from("MY_PIN"),
    salt: t.secret.nullable(),
  })
  expect(secretParams(paramsSchema).map(({ variable }) => variable)).toEqual([
    "API_TOKEN",
    "DB_URL_PATH2",
    "MY_PIN",
    "SALT",
  ])
  const params = { apiToken: "given", dbURLPath2: "", pin: "", salt: "" }
  const asked: string[] = []
  const job = withKnownSecrets({ name: "j", paramsSchema, params } as unknown as ExecutableJob, (variable) => {
    asked.push(variable)
    return variable === "SALT" ? undefined : { value: `of ${variable}` }
  })
  expect(asked).toEqual(["DB_URL_PATH2", "MY_PIN", "SALT"])
  expect(job.params).toEqual({ apiToken: "given", dbURLPath2: "of DB_URL_PATH2", pin: "of MY_PIN", salt: null })
})

import { expect, test } from "vitest"
import { callFailed, lambdaThrew } from "./row-failure.ts"

test("what has caused an error is told with it, and of an error without a message its code", () => {
  const refused = Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" })
  const failed = new TypeError("fetch failed", { cause: refused })
  expect(callFailed(failed, 3).message).toBe(
    "the call failed 3 times, at last: it threw TypeError: fetch failed, as AggregateError: ECONNREFUSED",
  )
  const outer = new Error("no price", { cause: new TypeError("fetch failed", { cause: "a bad port" }) })
  expect(lambdaThrew(outer).message).toBe("the lambda threw Error: no price, as TypeError: fetch failed, as a bad port")
})

test("causes that go round in a circle, and things without a text, end", () => {
  const error = new Error("again")
  error.cause = error
  expect(lambdaThrew(error).message).toBe(
    "the lambda threw Error: again, as Error: again, as Error: again, as Error: again",
  )
  expect(lambdaThrew(Object.create(null)).message).toBe("the lambda threw something that has no text")
  expect(lambdaThrew(7).message).toBe("the lambda threw 7")
})

import { expect, test } from "vitest"
import { answerText, verdictOf } from "./exchange.ts"

const NOW = 1_700_000_000_000_000
const kindOf = (status: number) => verdictOf({ status, statusText: "", retryAfter: undefined, text: "" }, NOW).kind

test("WH1 WH5 WH7 each status is one of accepted, again, rejected and misdirected", () => {
  const all = Array.from({ length: 500 }, (_, index) => index + 100)
  const of = (kind: string) => all.filter((status) => kindOf(status) === kind)
  expect(of("accepted")).toEqual(all.filter((status) => status >= 200 && status < 300))
  expect(of("again")).toEqual([408, 425, 429, ...all.filter((status) => status >= 500)])
  const misdirected = [401, 403, 404, 405, 407]
  expect(of("misdirected")).toEqual([...all.filter((s) => s < 200 || (s >= 300 && s < 400)), ...misdirected])
  const rest = all.filter((status) => status >= 400 && status < 500)
  expect(of("rejected")).toEqual(rest.filter((status) => ![408, 425, 429, ...misdirected].includes(status)))
})

test.each([
  ["120", 120_000_000],
  ["0", 0],
  ["999999999", 86_400_000_000],
  ["Tue, 14 Nov 2023 22:13:50 GMT", 30_000_000],
  ["Tue, 14 Nov 2023 22:13:00 GMT", 0],
  ["Thu, 01 Jan 2099 00:00:00 GMT", 86_400_000_000],
  ["soon", 0],
  ["-5", 0],
  [undefined, 0],
])("WH5 Retry-After: %s", (retryAfter, waitMicros) => {
  const verdict = verdictOf({ status: 503, statusText: "Busy", retryAfter, text: "" }, NOW)
  expect(verdict).toEqual({ kind: "again", reason: "the answer was 503 Busy", waitMicros })
})

test("an answer is told on one line", () => {
  const text = answerText({ status: 400, statusText: "Bad Request", retryAfter: undefined, text: " no\n\tsevens " })
  expect(text).toBe("the answer was 400 Bad Request: no sevens")
  const coloured = { status: 400, statusText: "\u0007Bad", retryAfter: undefined, text: "\u001b[31mred\u202e" }
  expect(answerText(coloured)).toBe("the answer was 400 Bad: [31mred")
  expect(answerText({ ...coloured, text: "x".repeat(5000) })).toHaveLength("the answer was 400 Bad: ".length + 1024)
})

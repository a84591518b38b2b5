import { expect, test } from "vitest"
import type { DeadLetter } from "../../runtime/dead-letters.ts"
import { groupLetters } from "./letter-groups.ts"

function letter(record: number, reason: string, more: Partial<DeadLetter> = {}): DeadLetter {
  const place = { input: "in", partition: "a.csv", offset: record * 10, record }
  return { ...place, operator: null, field: null, raw: "", reason, ...more }
}

test("LG1 letters are one group where their reasons differ only in what is quoted, and in numbers", () => {
  const letters = [
    letter(1, 'the value "a" is not 1 of 3'),
    letter(2, 'the value "b \\" c" is not 7.5 of -3'),
    letter(3, "another"),
    letter(4, "another", { operator: "filter" }),
    letter(5, "another", { operator: "filter" }),
    letter(6, 'the value "" is not 0 of 0'),
  ]
  const groups = groupLetters(letters)
  expect(groups.map(({ reason, count, first, last }) => [reason, count, first.record, last.record])).toEqual([
    ['the value "…" is not # of #', 3, 1, 6],
    ["another", 2, 4, 5],
    ["another", 1, 3, 3],
  ])
})

import { expect, test } from "vitest"
import type { Fault } from "./faults.ts"
import { drawScenario } from "./scenario.ts"
import { formatCase, shrink, type FailingCase } from "./shrink.ts"

test("a case shrinks to what makes it fail, and no further", async () => {
  const needed: Fault = { step: "log.commit.sync", occurrence: 3, kind: "crash-before" }
  const other: Fault = { step: "sink.create", occurrence: 0, kind: "eio" }
  const scenario = drawScenario(7)
  const culprit = scenario.generations[1]![0]!.lines[1]!
  const stillFails = async (candidate: FailingCase): Promise<boolean> =>
    candidate.faults.includes(needed) &&
    candidate.scenario.generations.flat().some(({ lines }) => lines.includes(culprit))
  const smallest = await shrink({ scenario, faults: [other, needed, other] }, stillFails)
  expect(smallest.faults).toEqual([needed])
  expect(smallest.scenario.generations.flat().flatMap(({ lines }) => lines)).toEqual([culprit])
  expect(smallest.scenario.batchRows).toBe(64)
  expect(formatCase(smallest)).toContain(culprit.text)
  expect(formatCase(smallest)).toContain("crash-before at call 3 of log.commit.sync")
})

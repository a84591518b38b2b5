import { test } from "vitest"
import { dieAtEveryCall } from "../../connect/sink.conformance.ts"
import { driver } from "./file-sink.test.ts"
import { Session } from "node:inspector/promises"
test("x", async () => {
  await dieAtEveryCall(driver, { seeds: 1, kinds: ["crash-before"] })
  const session = new Session()
  session.connect()
  await session.post("Profiler.enable")
  await session.post("Profiler.start")
  const s = performance.now()
  for (let i = 0; i < 1; i++) await dieAtEveryCall(driver, { seeds: 1, kinds: ["crash-before"] })
  console.log((performance.now() - s) / 40)
  const { profile } = (await session.post("Profiler.stop")) as any
  const self = new Map<string, number>()
  const byId = new Map(profile.nodes.map((n: any) => [n.id, n]))
  profile.samples.forEach((id: number, i: number) => {
    const n: any = byId.get(id)
    const k = n.callFrame.functionName + " " + n.callFrame.url.split("/").at(-1) + ":" + n.callFrame.lineNumber
    self.set(k, (self.get(k) ?? 0) + profile.timeDeltas[i])
  })
  console.log(
    [...self]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 14)
      .map(([k, v]) => `${(v / 1000).toFixed(0)}ms ${k}`)
      .join("\n"),
  )
})

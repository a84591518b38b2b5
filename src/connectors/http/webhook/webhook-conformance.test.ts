/** The webhook sink passes the conformance suite of sinks, where the receiver drops what comes again. */
import { describeSinkConformance } from "../../../connect/sink.conformance.ts"
import type { ConformanceRow, SinkConformanceDriver } from "../../../connect/sink-trial.conformance.ts"
import { WebhookBinding } from "./webhook-binding.ts"
import { webhookSettings, type WebhookOptions } from "./webhook-options.ts"
import { WebhookWorld } from "./webhook-world.fixture.ts"

describeSinkConformance("webhook, a request a row", driverOf({}, 0), 7)
describeSinkConformance(
  "webhook, in batches, over a bad network",
  driverOf({ batch: { rows: 7, bytes: 1_000 } }, 0.15),
  13,
)

function driverOf(options: Partial<WebhookOptions>, lossChance: number): SinkConformanceDriver<WebhookWorld> {
  let world: WebhookWorld
  /** How many bodies were taken away by a reader. */
  let gone = 0
  // All is sent before `apply` returns, so that it can be looked at.
  const settings = webhookSettings({ url: "http://receiver/", maxUnsent: { rows: 0 }, ...options })
  return {
    createWorld(seed) {
      world = new WebhookWorld(seed, { lossChance })
      gone = 0
      world.image.installDirectory("/job/state")
      return world
    },
    baseDirectory: "/job",
    binding: {
      ...new WebhookBinding(settings),
      describe: () => "webhook",
      openSink: (context, recovery) => new WebhookBinding(settings, world).openSink(context, recovery),
    },
    published({ taken, findings }) {
      if (findings.length > 0) throw new Error(findings.join("; "))
      return taken.slice(gone).flatMap(({ text }) => [JSON.parse(text) as ConformanceRow | ConformanceRow[]].flat())
    },
    takeAway: ({ taken }) => void (gone = taken.length),
  }
}

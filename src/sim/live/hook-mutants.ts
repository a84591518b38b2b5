/** The mistakes that jobs show whose rows are sent by HTTP: see `logical-mutants.ts`. */
import type { ByteWriter } from "../../base/bytes.ts"
import { Outbox } from "../../connectors/http/webhook/outbox.ts"
import { PendingEpoch } from "../../connectors/http/webhook/pending-epoch.ts"
import { RequestSender } from "../../connectors/http/webhook/request-sender.ts"
import { decodeCheckpoint, encodeCheckpoint } from "../../connectors/http/webhook/staged-requests.ts"
import { WebhookSink } from "../../connectors/http/webhook/webhook-sink.ts"
import { replaceMethod, type LogicalMutant } from "../logical-mutants.ts"

const LOST = /lacks the record|rows of the record|late for it/
const TWICE = /holds \d+ times|rows of the record|late for it/

/** Each life of a process gives the requests that it sends keys of its own. */
function makeKeysAnew(): () => void {
  let epochs = 0
  return replaceMethod(
    Outbox.prototype,
    "add",
    (add) =>
      function (this: Outbox, epoch) {
        Object.assign(epoch, { staged: { ...epoch.staged, id: (++epochs).toString(16).padStart(16, "0") } })
        add.call(this, epoch)
      },
  )
}

/** See the head of this file. */
export const HOOK_MUTANTS: readonly LogicalMutant[] = [
  {
    name: "gives a request another key when it recovers",
    scenario: "live",
    says: TWICE,
    plant: makeKeysAnew,
  },
  {
    name: "lets a request go that has failed",
    scenario: "live",
    // Nobody is told that it has gone: a job that waits for it then waits for ever.
    says: new RegExp(`${LOST.source}|is still busy`),
    plant: () =>
      replaceMethod(
        Outbox.prototype,
        "putBack",
        () =>
          function (this: Outbox, request) {
            this.acknowledge(request)
          },
      ),
  },
  {
    name: "notes requests as accepted that are under way",
    scenario: "live",
    says: LOST,
    plant: () =>
      replaceMethod(
        PendingEpoch.prototype,
        "writeDone",
        () =>
          function (this: PendingEpoch, writer: ByteWriter) {
            for (const number of [2, 0, this.count]) writer.varint(number)
          },
      ),
  },
  {
    name: "leaves out of a checkpoint what is not accepted",
    scenario: "live",
    says: LOST,
    plant: () =>
      replaceMethod(
        WebhookSink.prototype,
        "checkpoint",
        (checkpoint) =>
          async function (this: WebhookSink) {
            return encodeCheckpoint({ ...decodeCheckpoint(await checkpoint.call(this)), pending: [] })
          },
      ),
  },
  {
    name: "sends what is staged before the commit record is durable",
    scenario: "live",
    says: TWICE,
    plant: () =>
      replaceMethod(
        WebhookSink.prototype,
        "stage",
        (stage) =>
          async function (this: WebhookSink, final, progress) {
            const staged = await stage.call(this, final, progress)
            this.apply(staged).catch(() => undefined)
            return staged
          },
      ),
  },
  {
    name: "sends rows of a key while one before is tried again",
    scenario: "live",
    says: /out of order/,
    plant: () =>
      replaceMethod(
        PendingEpoch.prototype,
        "laneOf",
        () =>
          function (this: PendingEpoch, request) {
            return this.staged.sequence * 1000 + request
          },
      ),
  },
  {
    name: "drops the rows that a receiver rejects",
    scenario: "live",
    says: LOST,
    plant: () => replaceMethod(RequestSender.prototype, "setAside", () => () => Promise.resolve()),
  },
]

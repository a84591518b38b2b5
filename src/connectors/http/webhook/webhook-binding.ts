/** A webhook, bound to a job's output, not yet opened. */
import { resolve } from "node:path"
import { TidemarkError } from "../../../base/errors.ts"
import { EpochFiles } from "../../../connect/epoch-files.ts"
import { NO_EPOCH, type EpochMark } from "../../../connect/epoch-mark.ts"
import type { Sink, SinkBinding, SinkContext, SinkGuarantee, SinkRecovery } from "../../../connect/sink.ts"
import type { Env } from "../../../env/env.ts"
import { readAcknowledged, type Acknowledged } from "./acknowledged-file.ts"
import type { Exchange } from "./exchange.ts"
import { NodeExchange } from "./node-exchange.ts"
import { Outbox } from "./outbox.ts"
import { checkOrder, requestLanes } from "./request-lanes.ts"
import { readCertificates } from "./trusted-certificates.ts"
import { decodeCheckpoint, decodeEpoch, type StagedEpoch } from "./staged-requests.ts"
import { shownUrl, webhookAddress } from "./webhook-address.ts"
import type { WebhookSettings } from "./webhook-options.ts"
import { pendingEpoch, WebhookSink } from "./webhook-sink.ts"

/** What the log knows of the sink. */
interface History {
  readonly token: string | undefined
  /** The last epoch that is committed. */
  readonly staged: EpochMark
  readonly isLast: boolean
  /** The committed epochs that may not be acknowledged, in order. */
  readonly pending: readonly StagedEpoch[]
}

/** See the head of this file. */
export class WebhookBinding implements SinkBinding {
  readonly guarantee: SinkGuarantee = "at-least-once-with-keys"
  /** Updates are sent as their rows: `op` says what each of them means. */
  readonly accepts = { append: true, update: true } as const
  readonly #settings: WebhookSettings
  readonly #exchange: Exchange | undefined

  /** @param exchange for tests: takes the place of the network. */
  constructor(settings: WebhookSettings, exchange?: Exchange) {
    this.#settings = settings
    this.#exchange = exchange
  }

  describe(): string {
    return `webhook({ url: ${shownUrl(this.#settings.url)} })`
  }

  /** The receiver may move, and what is unsent goes with it. */
  describeTarget(): string {
    return "webhook(...)"
  }

  async check({ schema, output, baseDirectory }: SinkContext): Promise<void> {
    checkOrder(schema, this.#settings.order, output)
    webhookAddress(this.#settings, output)
    this.#trusted(baseDirectory)
  }

  /** The certificates of `tls`, as PEM. */
  #trusted(baseDirectory: string): string | undefined {
    const { caFile } = this.#settings
    return caFile === undefined ? undefined : readCertificates(resolve(baseDirectory, caFile))
  }

  async openSink(context: SinkContext, recovery: SinkRecovery): Promise<Sink> {
    const { env, output, schema, stateDirectory } = context
    if (stateDirectory === undefined) {
      throw new TidemarkError("invalid-options", `The output ${output} needs the directory of a job.`, {
        hint: "Run the job.",
      })
    }
    await this.check(context)
    const settings = this.#settings
    const { shape, order, policy } = settings
    const history = historyOf(recovery)
    const token = history.token ?? idOf(env)
    const files = new EpochFiles({ disk: env.disk, stateDirectory, output, steps: "sink.webhook" })
    await files.makeDirectory()
    await files.keepOnly(history.pending)
    const outbox = await outboxOf(history, files, await readAcknowledged(env.disk, files.directory))
    const sink = new WebhookSink({
      context,
      settings,
      exchange: this.#exchange ?? new NodeExchange(policy.concurrency, this.#trusted(context.baseDirectory)),
      files,
      outbox,
      lanes: requestLanes(schema, order, { batchRows: shape.rowsMax, concurrency: policy.concurrency }),
      token,
      staged: history.staged,
      isLast: history.isLast,
      newId: () => idOf(env),
    })
    try {
      await sink.begin()
    } catch (error) {
      await sink.close()
      throw error
    }
    return sink
  }
}

/** What is left to be sent: what the log has, less what the file says. */
async function outboxOf(history: History, files: EpochFiles, known: Acknowledged | undefined): Promise<Outbox> {
  const { pending, staged } = history
  const own = known !== undefined && known.token === history.token ? known : undefined
  const marks: readonly EpochMark[] = [staged, ...pending]
  // The file may be of another line of the state: it holds up to an epoch that the log has, or up to one before all that may be left.
  const isKnown = own !== undefined && marks.some((mark) => isSame(mark, own.done))
  const first = pending[0]?.sequence ?? staged.sequence
  const isBefore = own !== undefined && own.done.sequence < first
  const done = isKnown || isBefore ? own.done : NO_EPOCH
  const outbox = new Outbox(pending.length === 0 ? staged : done)
  for (const each of pending) {
    if (each.sequence <= done.sequence) continue
    const epoch = await pendingEpoch(files, each)
    const partly = own?.partly.find(({ mark }) => isSame(mark, each))
    if (partly !== undefined) epoch.takeDone(partly.runs)
    outbox.add(epoch)
  }
  return outbox
}

function isSame(one: EpochMark, other: EpochMark): boolean {
  return one.sequence === other.sequence && one.id === other.id
}

function historyOf({ checkpoint, staged }: SinkRecovery): History {
  const epochs = staged.map(decodeEpoch).filter((epoch) => epoch !== undefined)
  const last = epochs.at(-1)
  if (checkpoint === undefined) {
    return { token: last?.token, staged: last ?? NO_EPOCH, isLast: last?.isLast ?? false, pending: epochs }
  }
  const before = decodeCheckpoint(checkpoint)
  return {
    token: before.token,
    staged: last ?? before.staged,
    isLast: (last ?? before).isLast,
    pending: [...before.pending, ...epochs],
  }
}

function idOf(env: Env): string {
  return [env.randomUint32(), env.randomUint32()].map((half) => half.toString(16).padStart(8, "0")).join("")
}

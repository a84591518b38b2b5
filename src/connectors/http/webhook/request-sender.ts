/** Sends one request of an outbox: its key, its headers and its body; and what is done with one that the receiver does not want. */
import { TidemarkError } from "../../../base/errors.ts"
import type { EpochFiles } from "../../../connect/epoch-files.ts"
import type { SinkContext } from "../../../connect/sink.ts"
import { formatIso } from "../../../time/iso.ts"
import type { Timestamp } from "../../../time/timestamp.ts"
import { bodyRecords } from "../body-records.ts"
import { BodyReader } from "./body-reader.ts"
import { DeadLetterFile } from "./dead-letter-file.ts"
import { ExchangeError, isAccepting, type Exchange, type WebhookAnswer } from "./exchange.ts"
import type { OutboxRequest } from "./outbox.ts"
import type { BodyKind, StagedEpoch } from "./staged-requests.ts"
import { secretsOf, shownUrl, veiled, webhookAddress } from "./webhook-address.ts"
import type { WebhookSettings } from "./webhook-options.ts"

const CONTENT_TYPES: Readonly<Record<BodyKind, string>> = {
  object: "application/json",
  array: "application/json",
  "json-lines": "application/x-ndjson",
}
const SHOWN_ROW_MAX = 1024
const decoder = new TextDecoder()

/** What it is made of. */
export interface RequestSenderParts {
  readonly context: SinkContext
  readonly settings: WebhookSettings
  readonly exchange: Exchange
  readonly files: EpochFiles
  readonly token: string
}

/** See the head of this file. */
export class RequestSender {
  readonly #parts: RequestSenderParts
  readonly #bodies: BodyReader
  readonly #deadLetters: DeadLetterFile

  constructor(parts: RequestSenderParts) {
    this.#parts = parts
    this.#bodies = new BodyReader(parts.files)
    this.#deadLetters = new DeadLetterFile(parts.context.env.disk, parts.files.directory)
  }

  /** Before anything is sent. */
  async begin(): Promise<void> {
    if (this.#parts.settings.isSettingAside) await this.#deadLetters.begin()
  }

  async send(request: OutboxRequest, signal: AbortSignal): Promise<WebhookAnswer> {
    const { settings, context, exchange, token } = this.#parts
    const { staged } = request.epoch
    const address = webhookAddress(settings, context.output)
    const headers = {
      "user-agent": "tidemark",
      ...address.headers,
      "content-type": CONTENT_TYPES[staged.body],
      "idempotency-key": `"${keyOf(token, staged, request.number)}"`,
    }
    const body = await this.#bodies.read(request)
    const shown = (text: string): string => veiled(text, secretsOf(settings, address))
    try {
      const answer = await exchange.send({ url: address.url, method: settings.method, headers, body }, signal)
      if (isAccepting(answer)) return answer
      return { ...answer, text: shown(answer.text), statusText: shown(answer.statusText) }
    } catch (error) {
      throw error instanceof ExchangeError ? new ExchangeError(shown(error.message)) : error
    }
  }

  /**
   * Writes the rows of a request that the receiver does not want to the dead letters, durably.
   *
   * @throws TidemarkError `sink-refused` where the job is to stop instead.
   */
  async setAside(request: OutboxRequest, reason: string): Promise<void> {
    const { settings, context, token } = this.#parts
    const { staged } = request.epoch
    const body = await this.#bodies.read(request)
    const found = bodyRecords(body, staged.body === "json-lines" ? "json-lines" : "json", Infinity)
    const rows = typeof found === "string" ? [] : found.map((row) => decoder.decode(row))
    if (!settings.isSettingAside) throw refusal(context.output, reason, rows)
    const at = formatIso(context.env.clock.wallMicros() as Timestamp)
    const key = keyOf(token, staged, request.number)
    await this.#deadLetters.append(rows.map((row) => ({ at, key, reason, row })))
    context.onEvent?.({ kind: "rows-refused", output: context.output, rows: rows.length, reason })
  }

  /** The error where the receiver would take no request. */
  misdirected(reason: string): TidemarkError {
    const { settings, context } = this.#parts
    return new TidemarkError(
      "sink-unreachable",
      `The output ${context.output} is sent to ${shownUrl(settings.url)}, which takes none of it: ${reason}.`,
      { hint: "Mend the address, the method or the token. Nothing is lost: the next run sends what is committed." },
    )
  }

  async close(): Promise<void> {
    this.#parts.exchange.close()
    await this.#deadLetters.close()
  }
}

/** The key of a request: of the state, of the epoch, and its number in it. */
function keyOf(token: string, { sequence, id }: StagedEpoch, number: number): string {
  return `${token}-${sequence}-${id}-${number}`
}

function refusal(output: string, reason: string, [row = ""]: readonly string[]): TidemarkError {
  const shown = row.length > SHOWN_ROW_MAX ? `${row.slice(0, SHOWN_ROW_MAX)}…` : row
  return new TidemarkError(
    "sink-refused",
    `The receiver of the output ${output} rejects a request: ${reason}. Its first row is ${shown}.`,
    {
      hint: 'The request is committed and waits: mend the receiver and run again, or set onRejected: "dead-letter", with which such rows are set aside.',
    },
  )
}

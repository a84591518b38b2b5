/** A path of an HTTP server as an input: opens what is behind it, then the way in; and closes them the other way around. */
import { TidemarkError } from "../../base/errors.ts"
import type { Source, SourceBinding, SourceContext, SourceGuarantee } from "../../connect/source.ts"
import { InputDoor } from "./input-door.ts"
import type { InputSettings } from "./http-options.ts"
import type { Listener } from "./listener.ts"
import { pushedSource } from "./pushed-source.ts"
import { RecordCheck } from "./record-check.ts"
import { RequestLog } from "./request-log.ts"

const SEGMENT_BYTES = 16 * 2 ** 20
const TRIM_BYTES = 8 * 2 ** 20

/** What a binding has of its server. */
export interface BoundServer {
  readonly listener: Listener
  /** The input, as it was written. */
  readonly text: string
}

/** See the head of this file. */
export class HttpBinding implements SourceBinding {
  readonly readGuarantee: SourceGuarantee = "durable-when-acknowledged"
  readonly #path: string
  readonly #settings: InputSettings
  readonly #server: BoundServer

  constructor(path: string, settings: InputSettings, server: BoundServer) {
    this.#path = path
    this.#settings = settings
    this.#server = server
  }

  describe(): string {
    return this.#server.text
  }

  async openSource(context: SourceContext): Promise<Source> {
    const { env, input, schema, stateDirectory, baseDirectory } = context
    if (stateDirectory === undefined) {
      throw new TidemarkError("invalid-options", `The input ${input} needs the directory of a job.`, {
        hint: "Run the job.",
      })
    }
    const { isRefusing, maxRequestBytes, maxRecords, maxRecordBytes, maxBacklogBytes, keys, isKeyRequired } =
      this.#settings
    const directory = `${stateDirectory}/inputs/${input}`
    const requests = await RequestLog.open(env, directory, {
      backlogBytes: maxBacklogBytes,
      keys,
      trimBytes: TRIM_BYTES,
      segmentBytes: SEGMENT_BYTES,
    })
    const door = new InputDoor({
      path: this.#path,
      requests,
      check: isRefusing ? new RecordCheck(schema, maxRecordBytes) : undefined,
      maxRequestBytes,
      maxRecords,
      isKeyRequired,
    })
    const { listener } = this.#server
    try {
      await listener.open(door, env, baseDirectory)
    } catch (error) {
      await requests.close()
      throw error
    }
    const onClose = async (): Promise<void> => {
      door.close()
      await requests.close()
      await listener.close(door, env)
    }
    return pushedSource(context, requests, { id: this.#path, maxRecordBytes, directory, onClose })
  }
}

/**
 * Which requests follow each other: the lane of each row, by what was asked for.
 *
 * A request with one row has a lane of its key, so that keys do not wait for each other. Requests with more rows have rows of many keys, so there
 * are as many lanes as requests may be under way, and each key has one of them.
 */
import { fingerprint } from "../../../base/hash.ts"
import { assert } from "../../../base/assert.ts"
import { TidemarkError } from "../../../base/errors.ts"
import type { Batch } from "../../../batch/batch.ts"
import { readValue } from "../../../batch/column.ts"
import type { Schema } from "../../../batch/schema.ts"
import { LANE_A_KEY, NO_LANES, numberedLanes, type Lanes } from "./staged-requests.ts"

/** What was asked for: the order of the output, none, or that of the rows with one key. */
export type RequestOrder = "output" | "none" | { readonly by: readonly string[] }

/** The lanes of an output. */
export interface RequestLanes {
  readonly lanes: Lanes
  laneOf(batch: Batch, row: number): number
}

/** See the head of this file. */
export function requestLanes(
  schema: Schema,
  order: RequestOrder,
  { batchRows, concurrency }: { readonly batchRows: number; readonly concurrency: number },
): RequestLanes {
  if (order === "none") return { lanes: NO_LANES, laneOf: () => 0 }
  if (order === "output") return { lanes: numberedLanes(1), laneOf: () => 0 }
  const columns = order.by.map((name) => schema.fields.findIndex((field) => field.name === name))
  const hashOf = (batch: Batch, row: number): number => {
    const texts = columns.map((column) => {
      const { type } = schema.fields[column]!
      return type.toJson(readValue(batch.columns[column]!, row))
    })
    return Number.parseInt(fingerprint(texts.join()).slice(0, 8), 16)
  }
  if (batchRows === 1) return { lanes: LANE_A_KEY, laneOf: hashOf }
  assert(concurrency >= 1, "a request may be under way")
  return { lanes: numberedLanes(concurrency), laneOf: (batch, row) => hashOf(batch, row) % concurrency }
}

/**
 * The columns of the key are columns of the rows.
 *
 * @throws TidemarkError `invalid-options`.
 */
export function checkOrder(schema: Schema, order: RequestOrder, output: string): void {
  if (typeof order === "string") return
  const names = schema.fields.map(({ name }) => name)
  const unknown = order.by.find((name) => !names.includes(name))
  if (unknown === undefined) return
  throw new TidemarkError(
    "invalid-options",
    `The output ${output} is to be sent in the order of ${JSON.stringify(unknown)}, which is no column of its rows.`,
    { hint: `Its columns are ${names.join(", ")}.` },
  )
}

/** Rows of containers whose values their columns' types do not have: they come as bad records, and do not count in the batch. */
import { readValue } from "../batch/column.ts"
import type { Batch } from "../batch/batch.ts"
import type { BadRecord } from "../batch/position.ts"
import type { DecodedRecords } from "./container.ts"
import type { Faults } from "./parquet/faults.ts"
import { rawOf } from "./utf8.ts"

const encoder = new TextEncoder()

/** Why a record is bad, by row of the batch: the reason of its first fault, and the fields at fault, in order. */
export type BadRows = Map<number, { readonly fields: number[]; readonly reason: string }>

/** Notes the faults of a field. */
export function noteFaults({ places, reasons }: Faults, field: number, badRows: BadRows): void {
  for (let index = 0; index < places.length; index++) {
    const known = badRows.get(places[index]!)
    if (known === undefined) badRows.set(places[index]!, { fields: [field], reason: reasons[index]! })
    else known.fields.push(field)
  }
}

/** A batch in which bad rows do not count, and these as bad records. */
export function withoutBad(batch: Batch, badRows: BadRows, release: () => void): DecodedRecords {
  const { length, schema, origin } = batch
  const rows = [...badRows.keys()].sort((one, other) => one - other)
  const bad = rows.map((row): BadRecord => {
    const { fields, reason } = badRows.get(row)!
    const field = schema.fields[fields[0]!]!.name
    return {
      position: { offset: origin.offsets![row]!, ordinal: origin.ordinals![row]! },
      reason: `the field ${JSON.stringify(field)} is ${reason}`,
      field,
      raw: rawOfRow(batch, row, fields),
    }
  })
  const count = length - bad.length
  if (count === 0) {
    release()
    return { batch: undefined, bad, records: length, release: () => undefined }
  }
  const selection = new Int32Array(count)
  for (let row = 0, next = 0; row < length; row++) if (!badRows.has(row)) selection[next++] = row
  return { batch: batch.with({ selection, count }), bad, records: length, release }
}

/** A row as JSON without the fields at fault, cut to 4 KiB. */
function rawOfRow({ schema, columns }: Batch, row: number, faulty: readonly number[]): string {
  const fields = schema.fields.flatMap(({ name, type }, index) =>
    faulty.includes(index) ? [] : [`${JSON.stringify(name)}:${type.toJson(readValue(columns[index]!, row))}`],
  )
  const bytes = encoder.encode(`{${fields.join(",")}}`)
  return rawOf(bytes, 0, bytes.length)
}

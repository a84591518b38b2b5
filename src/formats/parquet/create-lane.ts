/** Which lane reads which column. */
import type { ColumnType } from "../../batch/type.ts"
import { BitLane } from "./bit-lane.ts"
import type { FileColumn } from "./file-column.ts"
import type { Lane } from "./lane.ts"
import { NumberLane } from "./number-lane.ts"
import { ByteNumbers, WordNumbers } from "./number-pages.ts"
import { ObjectLane } from "./object-lane.ts"
import type { Reading } from "./reading.ts"
import { TextLane } from "./text-lane.ts"

/** How a column's values are read. */
export function createLane(column: FileColumn, reading: Reading, type: ColumnType, pageBytesMax: number): Lane {
  const { lane } = reading
  if (lane === "bits") return new BitLane()
  if (lane === "text") return new TextLane(column, pageBytesMax)
  if (lane === "objects") return new ObjectLane(column, pageBytesMax)
  const pages = lane === "words" ? new WordNumbers(reading) : new ByteNumbers(column, reading.convert, pageBytesMax)
  return new NumberLane(pages, type.storage)
}

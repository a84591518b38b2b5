/** Why rows that a test expects may not be there, as sentences. */
import { counted } from "../base/counted.ts"
import type { HoldingBack, JobStatus } from "../runtime/status.ts"
import { formatIso } from "../time/iso.ts"
import type { Timestamp } from "../time/timestamp.ts"

/** What a driven job has that is not in its outputs. */
export function whatHoldsBack(status: JobStatus, commits: "each-push" | "by-hand"): string[] {
  const { openWindows, rowsInFlight, lateRows, badRecords, state } = status
  const reasons: string[] = []
  if (state !== "running") reasons.push(`The job does not run: it is ${state}.`)
  if (commits === "by-hand") reasons.push("Commits are by hand: what is not committed is not in the outputs.")
  if (openWindows > 0) {
    reasons.push(`${counted(openWindows, "window is", "windows are")} open. ${watermarkSentence(status)}`)
  }
  if (rowsInFlight > 0) reasons.push(`${counted(rowsInFlight, "row waits", "rows wait")} for the answer to a call.`)
  if (lateRows > 0) reasons.push(`${counted(lateRows, "row", "rows")} came too late.`)
  if (badRecords > 0)
    reasons.push(`${counted(badRecords, "record or row is a dead letter", "records or rows are dead letters")}.`)
  return reasons
}

function watermarkSentence({ watermarkMicros, holdingBack }: JobStatus): string {
  const says = watermarkMicros === undefined ? "There is no watermark yet" : `The watermark is ${iso(watermarkMicros)}`
  const places = holdingBack.map((each) => place(each))
  return places.length === 0 ? `${says}.` : `${says}: it waits for ${places.join(", and for ")}.`
}

function place({ input, partition, others }: HoldingBack): string {
  return `partition ${partition} of ${input}${others === 0 ? "" : ` and ${counted(others, "other")}`}`
}

function iso(micros: number): string {
  return formatIso(micros as Timestamp)
}

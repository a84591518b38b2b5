/** What may go wrong with a log, but for what its segments say (`record-log-kind.ts`). */
import { TidemarkError } from "../../base/errors.ts"
import { GENERATIONS_MAX } from "./lsn.ts"

export function lockedError(directory: string): TidemarkError {
  return new TidemarkError("log-locked", `The log ${directory} is open for appending already.`, {
    hint: "One process appends to a log, and opens it once. Read it with openLogReader, or append by way of the process that has it.",
  })
}

export function missingError(directory: string): TidemarkError {
  return new TidemarkError("log-missing", `There is no log in ${directory}.`, {
    hint: "Give the directory that openLog was given; relative paths start from the working directory.",
  })
}

export function sealedError(directory: string): TidemarkError {
  return new TidemarkError("log-sealed", `The log ${directory} is sealed: nothing is appended to it any more.`, {
    hint: "It can be read and trimmed. Append to another log.",
  })
}

export function closedError(directory: string): TidemarkError {
  return new TidemarkError("log-closed", `The log ${directory} was closed.`, {
    hint: "Open it again; what was appended before and resolved is there.",
  })
}

export function tooLongError(bytes: number, bytesMax: number): TidemarkError {
  return new TidemarkError(
    "log-record-too-long",
    `A record of ${bytes} bytes is longer than a log takes (${bytesMax}).`,
    {
      hint: "Append it in pieces, or keep it elsewhere and append where. No record of the call was appended.",
    },
  )
}

export function tooManyGenerationsError(directory: string): TidemarkError {
  return new TidemarkError(
    "log-full",
    `The log ${directory} has been opened ${GENERATIONS_MAX} times, which is as often as one can be.`,
    {
      hint: "Read it, and append to a new log.",
    },
  )
}

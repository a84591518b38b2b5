/** The operating errors of the file source, in words. */
import { TidemarkError } from "../../base/errors.ts"

/** How errors call a file. */
export function fileLabel(id: string, input: string): string {
  return `the file ${JSON.stringify(id)} of the input ${input}`
}

/** The file is not what it was when records of it were read. */
export function changed(label: string, reason: string): TidemarkError {
  return new TidemarkError("source-changed", `${sentence(label)} is not what it was: ${reason}.`, {
    hint: "What was read of it stands. Put the file back as it was and give new records a new file (or append whole lines); or start anew with --reset.",
  })
}

/** The file was there and is gone. */
export function missing(label: string): TidemarkError {
  return new TidemarkError("source-missing", `${sentence(label)} does not exist any more.`, {
    hint: "Put it back: the job goes on where it was. Or start anew with --reset.",
  })
}

/** What a pattern matches besides files. */
interface Passed {
  readonly id: string
  /** Why it is passed over, such as `"directory"`. */
  readonly reason: string
}

/** A pattern names no file; `passed` is what else it matches. */
export function noMatch(glob: string, directory: string, input: string, passed: readonly Passed[]): TidemarkError {
  const [first] = passed
  const others =
    first === undefined ? "" : `, only ${first.id}${passed.length > 1 ? " and such" : ""}, which is no file`
  const names = first?.reason === "directory" ? ` Files in a directory are named as in "${first.id}/*".` : ""
  return new TidemarkError(
    "source-missing",
    `No file matches ${JSON.stringify(glob)} of the input ${input}, in ${directory}${others}.`,
    {
      hint: `Check the pattern and the directory that it starts from.${names} Names that begin with a dot match only patterns that do.`,
    },
  )
}

/** A link that leads nowhere. */
export function dangling(label: string): TidemarkError {
  return new TidemarkError("source-missing", `${sentence(label)} is a link that leads nowhere.`, {
    hint: "Mend or remove the link, or narrow the pattern: a file that should be there and is not would be missed in silence.",
  })
}

/** A name that the file system has and that is no text. */
export function notUtf8(path: string): TidemarkError {
  return new TidemarkError(
    "source-unreadable",
    `The name ${JSON.stringify(path)} is not UTF-8, so it cannot be opened.`,
    {
      hint: "Rename it, or narrow the pattern so that it does not match.",
    },
  )
}

/** A path that was named is no file. */
export function notAFile(label: string, kind: "directory" | "other"): TidemarkError {
  const what = kind === "directory" ? "a directory" : "neither a file nor a directory"
  return new TidemarkError("source-unreadable", `${sentence(label)} is ${what}.`, {
    hint:
      kind === "directory" ? 'Name the files in it with a pattern, such as "trips/*.csv".' : "Only files can be read.",
  })
}

/** A failure of the disk, as a failure to read this file; other errors as they are. */
export function nameUnreadable(error: unknown, label: string): unknown {
  if (!(error instanceof TidemarkError) || error.code !== "disk-failed") return error
  const { hint } = error
  return new TidemarkError("source-unreadable", `${sentence(label)} cannot be read. ${error.message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  })
}

function sentence(label: string): string {
  return label.charAt(0).toUpperCase() + label.slice(1)
}

/** A compressed file that cannot be decompressed. */
export function damaged(label: string, compression: string, byte: number, reason: string): TidemarkError {
  return new TidemarkError(
    "source-unreadable",
    `${sentence(label)} cannot be decompressed as ${compression}: ${reason}. It was read up to byte ${byte}.`,
    {
      hint: `The file is cut, still being written, damaged, or no ${compression}. Check it with "${compression} -t"; where its name misleads, say compression: "none".`,
    },
  )
}

/**
 * What patterns match and a source does not read, as warnings: one for each pattern and reason, however much it is.
 */
import { counted, plural } from "../../base/counted.ts"
import type { SourceWarning } from "../../connect/source.ts"
import type { PassedOver, PassedOverReason } from "./glob-files.ts"

/** So many names stand in a warning. */
const SHOWN_NAMES = 5

interface Group {
  readonly glob: string
  readonly reason: PassedOverReason
  /** The first of them. */
  readonly names: string[]
  count: number
}

/** Gathers what the patterns of one input pass over. */
export class PassedOverFiles {
  readonly #groups = new Map<string, Group>()

  add(glob: string, { id, reason }: PassedOver): void {
    const key = `${reason} ${glob}`
    const group = this.#groups.get(key) ?? { glob, reason, names: [], count: 0 }
    this.#groups.set(key, group)
    group.count++
    if (group.names.length < SHOWN_NAMES) group.names.push(id)
  }

  warnings(input: string): readonly SourceWarning[] {
    return [...this.#groups.values()].map((group) => {
      const { glob, names, count } = group
      const rest = count > names.length ? ` and ${count - names.length} more` : ""
      const subject = `The input ${input} passes over ${whatOf(group)}`
      return { message: `${subject}, at ${JSON.stringify(glob)}: ${names.join(", ")}${rest}.`, hint: hintOf(group) }
    })
  }
}

function whatOf({ reason, count }: Group): string {
  switch (reason) {
    case "directory":
      return counted(count, "directory", "directories")
    case "special":
      return `${counted(count, "thing")} that ${plural(count, "is", "are")} neither file nor directory`
    case "linked-directory":
      return `${counted(count, "link")} to ${plural(count, "a directory", "directories")}`
    case "dangling-link":
      return `${counted(count, "link")} that ${plural(count, "leads", "lead")} nowhere`
  }
}

function hintOf({ reason, names }: Group): string {
  const first = names[0]!
  switch (reason) {
    case "directory":
      return `Files in a directory are named by a pattern of their own, such as "${first}/*". Narrow this one if they are not meant.`
    case "special":
      return "Only files are read. Narrow the pattern if nothing else is meant."
    case "linked-directory":
      return `A double star does not follow links. Name the directory in a pattern of its own: "${first}/**".`
    case "dangling-link":
      return "If a directory is missing there, its files are not read: mend or remove the link."
  }
}

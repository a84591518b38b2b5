/**
 * A reader of published output that trusts nobody: it looks at an output's directory again and again while the job
 * runs and crashes, and holds what it sees against the truth.
 *
 * Invariants:
 * - V1 What is visible consists of whole lines (and, in CSV, whole files begin with the header).
 * - V2 A published file never changes, and does not vanish unless the machine crashes before its name was durable; then
 *   it comes back as it was.
 * - V3 At no moment is a row visible that the truth does not have, or more often than the truth has it.
 * - V4 When the job has finished, all rows of the truth are visible.
 */
import type { DiskImage } from "./disk-image.ts"
import type { FileNode } from "./file-node.ts"
import type { FileFormatName } from "./scenario.ts"

/** How the rows of an output are read. */
export interface OutputReading {
  readonly directory: string
  readonly format: FileFormatName
  /** The row's text, as the truth has it, from its columns. */
  textOf(row: Readonly<Record<string, unknown>>): string
  /** The rows that the output must hold in the end. */
  readonly truth: readonly string[]
}

interface SeenFile {
  node: FileNode
  version: number
  readonly content: string
  isVisible: boolean
}

const decoder = new TextDecoder()

/** Watches one output. */
export class PublishedOutput {
  readonly #image: DiskImage
  readonly #reading: OutputReading
  readonly #left = new Map<string, number>()
  readonly #seen = new Map<string, SeenFile>()

  constructor(image: DiskImage, reading: OutputReading) {
    this.#image = image
    this.#reading = reading
    for (const text of reading.truth) this.#left.set(text, (this.#left.get(text) ?? 0) + 1)
  }

  /** Looks at the output; gives what is wrong with it (V1, V2, V3). */
  look(options: { machineCrashed: boolean }): string[] {
    const findings: string[] = []
    const directory = this.#image.find(this.#reading.directory)
    if (directory?.kind !== "directory") return findings
    for (const [name, node] of directory.entries) {
      if (name.startsWith(".") || node.kind !== "file") continue
      const seen = this.#seen.get(name)
      if (seen === undefined) this.#readNew(name, node, findings)
      else {
        if (seen.node !== node || seen.version !== node.version || !seen.isVisible) {
          if (decoder.decode(node.view()) !== seen.content) findings.push(`${this.#path(name)} has changed`)
        }
        seen.node = node
        seen.version = node.version
        seen.isVisible = true
      }
    }
    for (const [name, seen] of this.#seen) {
      if (directory.entries.has(name)) continue
      if (seen.isVisible && !options.machineCrashed) findings.push(`${this.#path(name)} has vanished`)
      seen.isVisible = false
    }
    return findings
  }

  /** What was there and is not. */
  vanished(): string[] {
    return [...this.#seen].filter(([, { isVisible }]) => !isVisible).map(([name]) => `${this.#path(name)} has vanished`)
  }

  /** What is missing when the job has finished (V4). */
  missing(): string[] {
    const findings = this.vanished()
    const lost = [...this.#left].filter(([, count]) => count > 0)
    for (const [text, count] of lost.slice(0, 5))
      findings.push(`${this.#reading.directory} lacks ${text} (${count} times)`)
    if (lost.length > 5) findings.push(`${this.#reading.directory} lacks ${lost.length - 5} more rows`)
    return findings
  }

  /** What was published before a reset and was not set aside in a directory beside this one. */
  notSetAside(): string[] {
    const beside = this.#reading.directory.replace(/[^/]*$/, "")
    const paths = this.#image.files(beside).filter((path) => path.startsWith(`${this.#reading.directory}.`))
    const kept = new Set(paths.map((path) => decoder.decode(this.#image.readFile(path))))
    return [...this.#seen]
      .filter(([, { content }]) => !kept.has(content))
      .map(([name]) => `${this.#path(name)} was not set aside`)
  }

  /** All published rows as text, in the order of the files' names; CSV headers left out. */
  content(): string {
    const names = [...this.#seen.keys()].sort()
    return names.map((name) => this.#rowsOf(this.#seen.get(name)!.content)).join("")
  }

  #rowsOf(content: string): string {
    return this.#reading.format === "csv" ? content.slice(content.indexOf("\n") + 1) : content
  }

  #readNew(name: string, node: FileNode, findings: string[]): void {
    const content = decoder.decode(node.view())
    this.#seen.set(name, { node, version: node.version, content, isVisible: true })
    if (!content.endsWith("\n")) {
      findings.push(`${this.#path(name)} does not end with a whole line: ${JSON.stringify(content.slice(-80))}`)
      return
    }
    for (const row of this.#parse(content, name, findings)) {
      const text = this.#reading.textOf(row)
      const left = this.#left.get(text)
      if (left === undefined) findings.push(`${this.#path(name)} holds a row that nobody expects: ${text}`)
      else if (left === 0) findings.push(`${this.#path(name)} repeats ${text}`)
      else this.#left.set(text, left - 1)
    }
  }

  #parse(content: string, name: string, findings: string[]): Record<string, unknown>[] {
    const lines = content.slice(0, -1).split("\n")
    if (this.#reading.format === "csv") {
      const header = lines.shift()!.split(",")
      return lines.map((line) => Object.fromEntries(csvFields(line).map((field, index) => [header[index]!, field])))
    }
    const rows: Record<string, unknown>[] = []
    for (const line of lines) {
      try {
        rows.push(JSON.parse(line) as Record<string, unknown>)
      } catch {
        findings.push(`${this.#path(name)} holds a line that is not whole: ${JSON.stringify(line.slice(0, 80))}`)
      }
    }
    return rows
  }

  #path(name: string): string {
    return `${this.#reading.directory}/${name}`
  }
}

/** The fields of a line of CSV (RFC 4180) without line ends in its fields. */
function csvFields(line: string): string[] {
  const fields: string[] = []
  for (let at = 0; at <= line.length; at++) {
    let field = ""
    if (line[at] === '"') {
      for (at++; line[at] !== '"' || line[at + 1] === '"'; at++) {
        if (line[at] === '"') at++
        field += line[at]
      }
      at++
    } else for (; at < line.length && line[at] !== ","; at++) field += line[at]
    fields.push(field)
  }
  return fields
}

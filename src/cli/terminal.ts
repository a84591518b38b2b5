/** Redraws a few lines in place on a terminal. */

/** Where text goes: `process.stderr`, or a list in a test. */
export interface TextStream {
  readonly columns?: number | undefined
  write(text: string): unknown
}

/** A region of lines at the bottom of a terminal. */
export class LiveRegion {
  readonly #stream: TextStream
  #height = 0

  constructor(stream: TextStream) {
    this.#stream = stream
  }

  /** Replaces what stands in the region. Lines longer than the terminal is wide are cut, so that the region stays put. */
  draw(lines: readonly string[]): void {
    // Some terminals say that they have no columns at all.
    const width = this.#stream.columns === 0 ? 120 : (this.#stream.columns ?? 120)
    this.#stream.write(`${this.#home()}${lines.map((line) => `${cut(line, width)}\n`).join("")}`)
    this.#height = lines.length
  }

  /** Removes the region. */
  clear(): void {
    this.#stream.write(this.#home())
    this.#height = 0
  }

  /** Moves to the region's first line and erases it and all below. */
  #home(): string {
    return this.#height === 0 ? "" : `\u001b[${this.#height}A\u001b[0J`
  }
}

/** Cuts a line to a width, counting no escape sequence. */
function cut(line: string, width: number): string {
  let shown = 0
  let result = ""
  // eslint-disable-next-line no-control-regex -- terminal colours are control characters
  for (const piece of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (piece.startsWith("\u001b[")) result += piece
    else {
      result += piece.slice(0, Math.max(0, width - shown))
      shown += piece.length
    }
  }
  return result
}

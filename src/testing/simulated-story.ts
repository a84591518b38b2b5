/** What happened in a simulated run, in words, for people who have not read the engine. */
import type { StepName } from "../env/env.ts"
import type { FaultKind } from "../sim/faults.ts"

const starting = (): string => "while the job was starting"
const reading = (epoch: number): string => `while epoch ${epoch} was being read`

/** What the steps of the disk belong to, by the beginnings of their names; the first that fits. */
const PARTS: readonly (readonly [RegExp, (epoch: number) => string])[] = [
  [/^log\.(append|commit)/, (epoch) => `while epoch ${epoch} was being written`],
  [/^log\.(roll|trim)/, () => "while a snapshot was being written"],
  [/^(run|env|log)\./, starting],
]

const WHAT: Readonly<Record<FaultKind, string>> = {
  eio: "the disk failed at a call",
  enospc: "the disk was full at a call",
  stall: "a call of the disk took long",
  "crash-before": "the machine lost power",
  "crash-after": "the machine lost power",
  "kill-before": "the process was killed",
  "kill-after": "the process was killed",
}

/** See the head of this file. */
export class SimulatedStory {
  readonly #lines: string[] = []
  /** The epochs that were committed and are not told yet. */
  #committed: { readonly first: number; readonly last: number } | undefined
  #epoch = 0
  #processes = 0
  /** Whether the process has recovered. */
  #isRunning = false

  get lines(): readonly string[] {
    this.#tellCommits()
    return this.#lines
  }

  started(rows: number, batchRows: number): void {
    this.#isRunning = false
    if (this.#processes++ === 0) this.#tell(`the job was started on ${rows} rows, at most ${batchRows} at a time`)
  }

  recovered(epoch: number): void {
    this.#isRunning = true
    this.#epoch = epoch
    if (this.#processes > 1)
      this.#tell(epoch === 0 ? "it was started again, and began anew" : `it was started again, behind epoch ${epoch}`)
  }

  committed(epoch: number): void {
    this.#epoch = epoch
    this.#committed = { first: this.#committed?.first ?? epoch, last: epoch }
  }

  stopped(): void {
    this.#tell("it was stopped in good order")
  }

  failed(): void {
    this.#tell("the job failed, as it must")
  }

  clockSet(minutes: number): void {
    this.#tell(`the clock was set ${minutes > 0 ? "forwards" : "backwards"} by ${Math.abs(minutes)} minutes`)
  }

  struck(kind: FaultKind, step: StepName): void {
    const [, part] = PARTS.find(([pattern]) => pattern.test(step)) ?? [undefined, this.#isRunning ? reading : starting]
    const moment = kind.endsWith("-after") ? "behind" : "at"
    this.#tell(`${WHAT[kind]} ${part(this.#epoch + 1)} (${moment} ${step})`)
  }

  #tell(line: string): void {
    this.#tellCommits()
    this.#lines.push(line)
  }

  #tellCommits(): void {
    if (this.#committed === undefined) return
    const { first, last } = this.#committed
    this.#committed = undefined
    this.#lines.push(first === last ? `epoch ${first} was committed` : `epochs ${first} to ${last} were committed`)
  }
}

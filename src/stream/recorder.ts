/**
 * The plan in the making: nodes in the order in which a flow calls for them, and their ids.
 *
 * Invariants:
 * - L1, L2 of `flow/plan.ts`: a node's input stands before it; ids are unique, and a derived one is made of the nearest
 *   stateful ancestor or source, the kind, and the place among the ancestor's descendants of that kind.
 * - RC1 When the flow has returned the plan is frozen, all of it but the lambdas, and records nothing more.
 */
import { TidemarkError } from "../base/errors.ts"
import { shownValue } from "../base/shown-value.ts"
import { Schema } from "../batch/schema.ts"
import { ColumnType } from "../batch/type.ts"
import type { ProcessSpec } from "../flow/process/process-spec.ts"
import {
  inputsOf,
  isMade,
  isStateful,
  sidePort,
  type Plan,
  type PlanNode,
  type PlanOutput,
  type Port,
  type SourceNode,
} from "../flow/plan.ts"

/** Names of jobs, inputs, outputs and operators: they stand in paths, on the command line and in the log. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** Whether a job, input, output or operator can have this name. */
export function isName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name)
}

/** What names may be made of, for hints. */
export const NAME_HINT =
  "Use up to 100 letters, digits, dots, underscores and hyphens, beginning with a letter or digit."

/** Where the rows of a stream come from. */
export interface Place {
  readonly node: number
  readonly port: Port
  readonly schema: Schema
  /** The event-time column, where the stream has event time. */
  readonly timeColumn: string | undefined
}

/** The parts of a node that its place gives it. */
export interface NodePlace {
  readonly id: string
  readonly isIdGiven: boolean
  readonly input: number
  readonly inputPort: Port
}

type InnerNode = Exclude<PlanNode, SourceNode>

/** Records the plan of one job. */
export class Recorder {
  readonly jobName: string
  readonly #nodes: PlanNode[] = []
  readonly #ids = new Set<string>()
  /** For each node the id that the ids of its descendants begin with. */
  readonly #anchors: string[] = []
  readonly #counts = new Map<string, number>()
  #isSealed = false

  constructor(jobName: string) {
    this.jobName = jobName
  }

  /** Adds an input. Names of its fields in the outer world end here: within the plan columns have their own. */
  addSource(inputName: string, inputSchema: Schema): Place {
    this.#refuseSecrets(`has an input ${inputName}`, inputSchema)
    const schema = new Schema(inputSchema.fields.map(({ name, type }) => ({ name, type: bareType(type) })))
    this.#ids.add(inputName)
    this.#anchors.push(inputName)
    const node = this.#nodes.push({ kind: "source", id: inputName, isIdGiven: true, schema, inputName }) - 1
    return { node, port: "main", schema, timeColumn: undefined }
  }

  /** Adds an operator behind `from`, and gives its index. */
  add(from: Place, kind: InnerNode["kind"], givenId: unknown, make: (place: NodePlace) => InnerNode): number {
    if (this.#isSealed) {
      throw this.invalid(from, kind, "the flow has returned, and its plan is done", "Call operators within the flow.")
    }
    const anchor = this.#anchorOf(from)
    const id = this.#takeId(from, kind, anchor, givenId)
    const isIdGiven = givenId !== undefined
    const node = make({ id, isIdGiven, input: from.node, inputPort: from.port })
    for (const schema of schemasOf(node)) this.#refuseSecrets(`has an operator ${id}`, schema)
    this.#anchors.push(isStateful(node) ? id : anchor)
    return this.#nodes.push(node) - 1
  }

  /** Values of columns are written, shown and kept. */
  #refuseSecrets(where: string, { fields }: Schema): void {
    const secret = fields.find(({ type }) => type.definition.isSecret === true)
    if (secret === undefined) return
    const problem = `${where} with ${JSON.stringify(secret.name)}, which is a secret`
    throw new TidemarkError("invalid-plan", `The job ${this.jobName} ${problem}.`, {
      hint: "Only parameters are secrets: what is in a row is written and shown. Use t.string where it may be.",
    })
  }

  #anchorOf({ node, port }: Place): string {
    return port === "main" ? this.#anchors[node]! : `${this.#nodes[node]!.id}.${portName(port)}`
  }

  #takeId(from: Place, kind: string, anchor: string, givenId: unknown): string {
    // Siblings with an id of their own count too, so that naming one renames no other.
    const derived = `${anchor}/${kind}`
    const count = (this.#counts.get(derived) ?? 0) + 1
    this.#counts.set(derived, count)
    if (givenId === undefined) return count === 1 ? derived : `${derived}-${count}`
    if (!isName(givenId)) {
      throw this.invalid(from, kind, `the id ${shownValue(givenId)} is not a name`, NAME_HINT)
    }
    if (this.#ids.has(givenId)) {
      const hint = "Ids tell operators apart, and inputs have theirs: give this one another."
      throw this.invalid(from, kind, `the id ${JSON.stringify(givenId)} is taken`, hint)
    }
    this.#ids.add(givenId)
    return givenId
  }

  /** The operator that made the rows, so that they come from no partition; `undefined` where they were read. */
  makerOf({ node, port }: Pick<Place, "node" | "port">): PlanNode | undefined {
    const from = this.#nodes[node]!
    if (isMade(from, port)) return from
    const makers = inputsOf(from).map(({ input, inputPort }) => this.makerOf({ node: input, port: inputPort }))
    return makers.find((maker) => maker !== undefined)
  }

  /** The inputs whose rows come to a place without having waited anywhere, or `undefined` where some have. */
  directInputs({ node }: Pick<Place, "node">): readonly string[] | undefined {
    const from = this.#nodes[node]!
    if (from.kind === "source") return [from.inputName]
    if (["windowAggregate", "over", "asyncMap", "process"].includes(from.kind)) return undefined
    const below = inputsOf(from).map(({ input }) => this.directInputs({ node: input }))
    return below.some((each) => each === undefined) ? undefined : below.flatMap((each) => each!)
  }

  /** The id of the nearest `asyncMap` that the rows have passed, if there is one. */
  callsBefore({ node }: Pick<Place, "node">): string | undefined {
    const from = this.#nodes[node]!
    if (from.kind === "asyncMap") return from.id
    return inputsOf(from)
      .map(({ input }) => this.callsBefore({ node: input }))
      .find((id) => id !== undefined)
  }

  /** The finished plan. */
  finish(outputs: readonly PlanOutput[]): Plan {
    this.#isSealed = true
    const plan = { jobName: this.jobName, nodes: this.#nodes, outputs }
    freezeDeeply(plan)
    return plan
  }

  /** The error of a call that cannot be recorded. */
  invalid(from: Place, call: string, problem: string, hint: string): TidemarkError {
    return new TidemarkError("invalid-plan", `${this.describe(from, call)}: ${problem}.`, { hint })
  }

  /** Names a call, its job and where in the flow it stands. */
  describe(place: Place, call: string): string {
    return `The job ${this.jobName}, .${call}(...) on ${this.nameOf(place)}`
  }

  /** Names a stream. */
  nameOf({ node, port }: Place): string {
    const { id } = this.#nodes[node]!
    return port === "main" ? id : `${id}.${portName(port)}`
  }
}

/** A port as ids and messages name it. */
function portName(port: Port): string {
  return port === "late" ? port : port.slice(sidePort("").length)
}

/** The type without what concerns only the reading of an input: its source name and its default. */
export function bareType(type: ColumnType): ColumnType {
  if (type.sourceName === undefined && !type.hasDefault) return type
  return new ColumnType(type.definition, { isNullable: type.isNullable })
}

/** The schemas of what a node gives and keeps. */
function schemasOf(node: InnerNode): Schema[] {
  if (node.kind !== "process") return [node.schema]
  const { spec } = node
  const kept = "open" in spec ? { snapshot: spec.type } : Object.fromEntries(stateTypes(spec.state))
  return [
    node.schema,
    ...Object.values(spec.sides),
    new Schema(Object.entries(kept).map(([name, type]) => ({ name, type: bareType(type) }))),
  ]
}

function stateTypes(state: ProcessSpec["state"]): [string, ColumnType][] {
  return Object.entries(state).flatMap(([name, each]): [string, ColumnType][] => [
    [name, each.type],
    ...(each.kind === "map" ? [[`keys of ${name}`, each.keyType] as [string, ColumnType]] : []),
  ])
}

function freezeDeeply(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  // What a type is made of is its own: definitions may keep what they have worked out.
  if (value instanceof ColumnType) return
  for (const part of Object.values(value)) freezeDeeply(part)
}

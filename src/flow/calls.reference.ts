/**
 * Calls for tests of dataflows: they are answered when a generator says so, in any order, and given up where a process
 * dies. And plans that make calls, from plans that make none.
 */
import { assert } from "../base/assert.ts"
import type { Prng } from "../base/prng.ts"
import { Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import type { CallAnswer, CallFunction, CallOrder, CallPolicy, CallRequest, Calls } from "./calls.ts"
import type { Dataflow } from "./dataflow.ts"
import { portSchema, type AsyncMapNode, type Plan, type PlanNode, type Port } from "./plan.ts"

type Row = Readonly<Record<string, unknown>>
type PlainCall = (row: Row, params: Row, call: { readonly key: string }) => unknown

/** What the calls of a plan give, by the operator's id. */
function callsOf(plan: Plan): Map<string, PlainCall> {
  return new Map(plan.nodes.flatMap((node) => (node.kind === "asyncMap" ? [[node.id, node.lambda as PlainCall]] : [])))
}

/** Calls that wait to be answered. */
export class PendingCalls implements Calls {
  readonly #functions: ReadonlyMap<string, PlainCall>
  #pending: CallRequest[] = []
  /** By operator and ticket what was asked, over all lives of the state: the row as text, and the key. */
  readonly #asked = new Map<string, { readonly row: string; readonly key: string }>()
  readonly #keys = new Map<string, string>()
  /** The most calls that an operator has had in flight. */
  readonly most = new Map<string, number>()

  constructor(plan: Plan) {
    this.#functions = callsOf(plan)
  }

  start(request: CallRequest): void {
    const place = `${request.operator} ${request.ticket}`
    const row = textOf(request.makeRow())
    const before = this.#asked.get(place)
    assert(
      before === undefined || (before.row === row && before.key === request.key),
      "AM4: a row is asked for again as it was",
    )
    assert((this.#keys.get(request.key) ?? place) === place, "CA2: a key is of one row")
    this.#asked.set(place, { row, key: request.key })
    this.#keys.set(request.key, place)
    this.#pending.push(request)
    const own = this.#pending.filter(({ operator }) => operator === request.operator).length
    this.most.set(request.operator, Math.max(this.most.get(request.operator) ?? 0, own))
  }

  get size(): number {
    return this.#pending.length
  }

  /** The process dies, and its calls with it. */
  giveUp(): void {
    this.#pending = []
  }

  /** Answers some calls, drawn at random, or all that there are. */
  answer(dataflow: Dataflow, prng: Prng, count: number): void {
    const shuffled = prng.shuffle([...this.#pending])
    const chosen = shuffled.slice(0, count)
    this.#pending = this.#pending.filter((request) => !chosen.includes(request))
    dataflow.complete(chosen.map((request) => this.#answerOf(request)))
  }

  #answerOf({ operator, ticket, makeRow, key }: CallRequest): CallAnswer {
    try {
      const value = this.#functions.get(operator)!(makeRow(), {}, { key })
      return { operator, ticket, outcome: { kind: "given", value } }
    } catch (error) {
      return { operator, ticket, outcome: { kind: "failed", error: error as Error } }
    }
  }

  /** Answers whatever is asked for until nothing is any more. */
  answerAll(dataflow: Dataflow, prng: Prng): void {
    dataflow.advance()
    while (this.#pending.length > 0) {
      this.answer(dataflow, prng, 1 + prng.below(this.#pending.length))
      dataflow.advance()
    }
    assert(dataflow.heldRows === 0, "a row that is held has a call, where there is room for one")
  }
}

function textOf(row: Row): string {
  return JSON.stringify(row, (_key, value: unknown) =>
    typeof value === "bigint"
      ? `${value}n`
      : Object.is(value, -0)
        ? "-0"
        : typeof value === "number"
          ? String(value)
          : value,
  )
}

/** How calls are made in tests, where nobody says otherwise. */
const CALL_POLICY: CallPolicy = {
  inFlight: 3,
  order: "input",
  timeoutMicros: 1_000_000,
  attempts: 1,
  backOffMicros: 1_000,
  maxBackOffMicros: 10_000,
  onFailure: undefined,
}

/** Says whether the row as text is long by an odd number; some rows fail. */
const oddness = ((row: Row) => {
  const { length } = textOf(row)
  if (length % 5 === 0) throw new Error(`${length} is refused`)
  return { keep: length % 2 === 1 }
}) as CallFunction

/** The plan with calls behind some of its places that have event time. */
export function withCalls(plan: Plan, prng: Prng, orders: readonly CallOrder[]): Plan {
  let changed = plan
  // What feeds a union has waited for nothing (T9).
  const united = plan.nodes.findLastIndex(({ kind }) => kind === "union")
  const places = plan.nodes.slice(united + 1).flatMap(({ id, kind }): [string, Port][] => {
    if (kind === "windowAggregate")
      return [
        [id, "main"],
        [id, "late"],
      ]
    return kind === "eventTime" || id === "behind" ? [[id, "main"]] : []
  })
  const chosen = prng.shuffle(places).slice(0, 1 + prng.below(2))
  for (const [id, port] of chosen) {
    const policy = { ...CALL_POLICY, inFlight: prng.pick([1, 2, 3, 100]), order: prng.pick(orders) }
    changed = insertCalls(changed, id, port, policy)
  }
  return changed
}

function insertCalls(plan: Plan, behind: string, inputPort: Port, policy: CallPolicy): Plan {
  const input = plan.nodes.findIndex(({ id }) => id === behind)
  const rows = portSchema(plan, input, inputPort)
  const columns = [{ name: "keep", type: t.bool }]
  const schema = rows.indexOf("keep") === -1 ? new Schema([...rows.fields, ...columns]) : rows
  const node: AsyncMapNode = {
    kind: "asyncMap",
    id: `calls-${behind}-${inputPort}`,
    isIdGiven: true,
    input,
    inputPort,
    schema,
    columns,
    lambda: oddness,
    policy,
    timeColumn: rows.indexOf("windowEnd") === -1 ? "at" : "windowEnd",
  }
  const at = input + 1
  /** What came from there comes from the calls, and what stood behind it stands one further. */
  const moved = (from: number, port: Port): { readonly input: number; readonly inputPort: Port } => {
    if (from === input && port === inputPort) return { input: at, inputPort: "main" }
    return { input: from > input ? from + 1 : from, inputPort: port }
  }
  const later = plan.nodes.slice(at).map((each): PlanNode => {
    return each.kind === "source" ? each : { ...each, ...moved(each.input, each.inputPort) }
  })
  const outputs = plan.outputs.map(({ name, node: from, port }) => {
    const { input: place, inputPort: placePort } = moved(from, port)
    return { name, node: place, port: placePort }
  })
  return { ...plan, nodes: [...plan.nodes.slice(0, at), node, ...later], outputs }
}

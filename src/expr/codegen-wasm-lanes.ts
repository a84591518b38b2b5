/**
 * From IR to lanes: what a lambda asks of a row's values, one question at a time.
 *
 * A value of JavaScript's has no lane of its own: it may be null, a number or a text. What is asked of it has one: whether
 * it is truthy (`truth`), what it is as a number (`number`) or a bigint (`bigint`), whether it is null (`is`), which text
 * it is (`code`). A question about a node is answered by questions about its operands, without branches. That is right
 * because nodes are pure, and the slot of a null can be read: what JavaScript would not have evaluated is not chosen.
 *
 * Two things are noted as they are met, with the condition on which JavaScript gets there (`#path`): guards that fail, and
 * bigints that leave int64. Of such rows the kernel says that it does not know (`unknown`).
 *
 * Invariants:
 * - WL1 Unless a row is unknown, a lane gives what JavaScript gives, bit by bit but for NaNs.
 * - WL2 What has no lane throws `NotCompilable`; what was noted on the way there does not count (`attempt`).
 */
import { assert } from "../base/assert.ts"
import { binaryBigint, unaryBigint } from "./codegen-wasm-bigints.ts"
import { flagOfCall, numberOfCall } from "./codegen-wasm-calls.ts"
import { compared, equal, isZero } from "./codegen-wasm-comparisons.ts"
import { datePartLane } from "./codegen-wasm-dates.ts"
import { boundOf, exactInteger, wholeNumber } from "./codegen-wasm-integers.ts"
import { TextNodes, type TextTable } from "./codegen-wasm-texts.ts"
import { childrenOf, placeOf, typeOfReference } from "./ir.ts"
import type { Binary, ColumnReference, Ir, Let, Logical, ParamReference, Reference } from "./ir.ts"
import { INVALID_CODE, notKnown, NULL_CODE, type LaneQuestions } from "./lane-questions.ts"
import { makeBinary, makeConstant, makeUnary, withoutKinds } from "./nodes.ts"
import { NotCompilable } from "./not-compilable.ts"
import { BIGINT, BOOLEAN, isWithin, mayBe, NULL, NULLISH, NUMBER, NUMBER_LIKE, OBJECT, STRING } from "./value-type.ts"
import { UNDEFINED, type Kinds } from "./value-type.ts"
import type { KernelArgument, KernelText } from "./wasm-argument.ts"
import { LaneGraph, type Lane, type LaneType } from "./wasm-lane.ts"

const COMPARISONS: ReadonlySet<string> = new Set(["<", ">", "<=", ">=", "===", "!==", "==", "!="])

/** The lanes of one lambda. */
export class LambdaLanes implements LaneQuestions {
  readonly graph = new LaneGraph()
  /** In the order of their numbers. */
  readonly params: ParamReference[] = []
  readonly tables: TextTable[] = []
  /** Flags of rows whose answer is not known. */
  #unknown: Lane<"flag">[] = []
  /** Whether JavaScript gets to what is being asked about. */
  #path = this.graph.constant("flag", true)
  /** Whether what has been answered depends on the path. */
  #isPathBound = false
  #answers = new Map<Ir, Map<string, Lane>>()
  readonly #texts = new TextNodes()

  /** Whether the answer for the row is not known. */
  get unknown(): Lane<"flag"> {
    return this.#unknown.reduce((all, each) => this.graph.or(all, each), this.graph.constant("flag", false))
  }

  /** What `ask` gives, or `undefined` where something has no lane. Nothing is being asked when this is called. */
  attempt<T>(ask: () => T): T | undefined {
    const before = this.#unknown
    this.#unknown = [...before]
    try {
      return ask()
    } catch (error) {
      if (!(error instanceof NotCompilable)) throw error
      this.#unknown = before
      this.#answers = new Map()
      this.#path = this.graph.constant("flag", true)
      return undefined
    }
  }

  /** Notes the guards of a lambda: those of lets are evaluated for every row. */
  noteGuards(lets: readonly Let[], results: readonly Ir[]): void {
    for (const node of [...lets.map(({ value }) => value), ...results]) this.#noteGuards(node)
  }

  #noteGuards(node: Ir): void {
    if (node.isTotal) return
    switch (node.op) {
      case "guard":
        this.#noteGuards(node.test)
        this.noteUnknown(this.graph.not(this.truth(node.test)))
        this.#noteGuards(node.value)
        return
      case "logical": {
        this.#noteGuards(node.left)
        const [, goesOn] = this.#outcomes(node)
        this.#under(goesOn, () => {
          this.#noteGuards(node.right)
        })
        return
      }
      case "conditional": {
        this.#noteGuards(node.test)
        const test = this.truth(node.test)
        this.#under(test, () => {
          this.#noteGuards(node.then)
        })
        this.#under(this.graph.not(test), () => {
          this.#noteGuards(node.otherwise)
        })
        return
      }
      default:
        for (const child of childrenOf(node)) this.#noteGuards(child)
    }
  }

  /** Notes rows of which the answer is not known, where JavaScript gets there. */
  noteUnknown(flag: Lane<"flag">): void {
    this.#unknown.push(this.graph.and(this.#path, flag))
    this.#isPathBound = true
  }

  #under<T>(condition: Lane<"flag">, ask: () => T): T {
    const before = this.#path
    this.#path = this.graph.and(before, condition)
    const answer = ask()
    this.#path = before
    return answer
  }

  /** A let is evaluated for every row. */
  #inLet<T>(ask: () => T): T {
    const before = this.#path
    this.#path = this.graph.constant("flag", true)
    const answer = ask()
    this.#path = before
    return answer
  }

  #ask<T extends LaneType>(node: Ir, question: string, answer: () => Lane<T>): Lane<T> {
    let answers = this.#answers.get(node)
    if (answers === undefined) this.#answers.set(node, (answers = new Map<string, Lane>()))
    const general = answers.get(question)
    if (general !== undefined) return general as Lane<T>
    const onPath = `${question} ${this.#path.id}`
    const special = answers.get(onPath)
    if (special !== undefined) {
      this.#isPathBound = true
      return special as Lane<T>
    }
    const before = this.#isPathBound
    this.#isPathBound = false
    const lane = answer()
    answers.set(this.#isPathBound ? onPath : question, lane)
    this.#isPathBound ||= before
    return lane
  }

  /** Whether the value is truthy. */
  truth(node: Ir): Lane<"flag"> {
    return this.#ask(node, "truth", () => this.#mapped(node, "flag", node) ?? this.#truth(node))
  }

  #truth(node: Ir): Lane<"flag"> {
    const { graph } = this
    switch (node.op) {
      case "constant":
        return graph.constant("flag", Boolean(node.value))
      case "column":
        return this.#truthOfColumn(node)
      case "param":
        return graph.argument("flag", this.#param(node, "truth"))
      case "let":
        return this.#inLet(() => this.truth(node.value))
      case "narrowed":
      case "guard":
        return this.truth(node.value)
      case "unary":
        if (node.operator === "!") return graph.not(this.truth(node.operand))
        break
      case "binary":
        if (COMPARISONS.has(node.operator)) return this.#comparison(node)
        break
      case "logical": {
        const left = this.truth(node.left)
        const goesOn = this.#outcomes(node)[1]
        const right = this.#under(goesOn, () => this.truth(node.right))
        if (node.operator === "&&") return graph.and(left, right)
        return node.operator === "||" ? graph.or(left, right) : graph.select(goesOn, right, left)
      }
      case "conditional":
        return this.#either(
          node.test,
          () => this.truth(node.then),
          () => this.truth(node.otherwise),
        )
      case "call":
        if (node.kinds === BOOLEAN) return flagOfCall(this, node)
        break
      default:
    }
    return this.#truthOfValue(node)
  }

  #truthOfColumn(node: ColumnReference): Lane<"flag"> {
    const { graph } = this
    const present = graph.not(this.is(node, NULL))
    if (mayBe(node.kinds, OBJECT)) return present
    if (mayBe(node.kinds, BOOLEAN)) return graph.and(present, graph.bit(this.values(node)))
    if (mayBe(node.kinds, STRING)) return graph.and(present, graph.not(this.isText(node, { constant: "" })))
    return graph.and(present, this.#truthOfValue(withoutKinds(node, NULL)))
  }

  /** Of numbers and bigints. Null and undefined are 0 and NaN as numbers, and falsy like these. */
  #truthOfValue(node: Ir): Lane<"flag"> {
    const { graph } = this
    if (isWithin(node.kinds, BIGINT)) {
      return graph.not(graph.operation("i64.eq", this.bigint(node), graph.constant("i64", 0n)))
    }
    if (!isWithin(node.kinds, NUMBER_LIKE)) throw notKnown("the truth of a value of several kinds")
    const integer = exactInteger(this, node)
    if (integer !== undefined) return graph.not(isZero(this, integer))
    return graph.operation("f64.lt", graph.constant("f64", 0), graph.operation("f64.abs", this.number(node)))
  }

  #comparison({ operator, left, right }: Binary): Lane<"flag"> {
    const { graph } = this
    switch (operator) {
      case "===":
        return equal(this, left, right, true)
      case "!==":
        return graph.not(equal(this, left, right, true))
      case "==":
        return equal(this, left, right, false)
      case "!=":
        return graph.not(equal(this, left, right, false))
      case "<":
        return compared(this, "lt", left, right)
      case ">":
        return compared(this, "lt", right, left)
      case "<=":
        return compared(this, "le", left, right)
      default:
        return compared(this, "le", right, left)
    }
  }

  /** Whether the left side's value is the result, and whether the right side's is. */
  #outcomes({ operator, left }: Logical): readonly [Lane<"flag">, Lane<"flag">] {
    const { graph } = this
    const goesOn =
      operator === "??" ? this.is(left, NULLISH) : operator === "&&" ? this.truth(left) : graph.not(this.truth(left))
    return [graph.not(goesOn), goesOn]
  }

  #either<T extends LaneType>(test: Ir, then: () => Lane<T>, otherwise: () => Lane<T>): Lane<T> {
    const { graph } = this
    const flag = this.truth(test)
    return graph.select(flag, this.#under(flag, then), this.#under(graph.not(flag), otherwise))
  }

  /** Whether the value is one of `kinds`: null, undefined, or either. */
  is(node: Ir, kinds: Kinds): Lane<"flag"> {
    const { graph } = this
    if (!mayBe(node.kinds, kinds)) return graph.constant("flag", false)
    if (isWithin(node.kinds, kinds)) return graph.constant("flag", true)
    return this.#ask(node, `is ${kinds}`, () => {
      const test = (): Ir =>
        kinds === NULLISH
          ? makeBinary("==", node, makeConstant(null))
          : makeBinary("===", node, makeConstant(kinds === NULL ? null : undefined))
      return this.#mapped(node, "flag", test) ?? this.#is(node, kinds)
    })
  }

  #is(node: Ir, kinds: Kinds): Lane<"flag"> {
    const { graph } = this
    switch (node.op) {
      case "column":
        return graph.not(graph.bit({ from: "column", path: node.path, part: "validity" }))
      case "param":
        return graph.argument("flag", this.#param(node, "isNull"))
      case "let":
        return this.#inLet(() => this.is(node.value, kinds))
      case "narrowed":
      case "guard":
        return this.is(node.value, kinds)
      case "logical": {
        const [stays, goesOn] = this.#outcomes(node)
        const right = graph.and(
          goesOn,
          this.#under(goesOn, () => this.is(node.right, kinds)),
        )
        // What `||` and `??` leave as it is, is not nullish.
        return node.operator === "&&" ? graph.or(right, graph.and(stays, this.is(node.left, kinds))) : right
      }
      case "conditional":
        return this.#either(
          node.test,
          () => this.is(node.then, kinds),
          () => this.is(node.otherwise, kinds),
        )
      default:
        throw notKnown("whether a value is null")
    }
  }

  /** The number that `ToNumber` makes of the value, which is a number, a boolean or nullish. */
  number(node: Ir): Lane<"f64"> {
    return this.#ask(node, "number", () => {
      const plain = (): Ir => (node.kinds === NUMBER ? node : makeUnary("+", node))
      const mapped = this.#mapped(node, "f64", plain)
      if (mapped !== undefined) return mapped
      if (!isWithin(node.kinds, NUMBER_LIKE)) return this.#numberOfText(node)
      return isWithin(node.kinds, BOOLEAN) && node.op !== "constant"
        ? this.graph.operation("f64.fromFlag", this.truth(node))
        : this.#number(node)
    })
  }

  #numberOfText(node: Ir): Lane<"f64"> {
    const column = mayBe(node.kinds, BIGINT) ? undefined : this.#texts.textColumn(node)
    if (column === undefined) throw notKnown("a value of several kinds as a number")
    return this.#lookUp("f64", column, { kind: "f64", column, ir: makeUnary("+", node), target: undefined })
  }

  /** The same where the value is not nullish; where it is, it is any number. */
  presentNumber(node: Ir): Lane<"f64"> {
    return this.number(withoutKinds(node, NULLISH))
  }

  #number(node: Ir): Lane<"f64"> {
    const { graph } = this
    switch (node.op) {
      case "constant":
        return graph.constant("f64", Number(node.value))
      case "column": {
        const value = this.#numberOfColumn(node)
        return graph.select(this.is(node, NULL), graph.constant("f64", 0), value)
      }
      case "param":
        return graph.argument("f64", this.#param(node, "number"))
      case "let":
        return this.#inLet(() => this.number(node.value))
      case "narrowed":
      case "guard":
        return this.number(node.value)
      case "unary":
        if (node.operator === "-") return graph.operation("f64.neg", this.number(node.operand))
        if (node.operator === "+") return this.number(node.operand)
        return graph.operation("f64.fromI32", this.int32(node))
      case "binary":
        return this.#arithmetic(node)
      case "logical":
        return this.#logical(node, (side) => this.number(side))
      case "conditional":
        return this.#either(
          node.test,
          () => this.number(node.then),
          () => this.number(node.otherwise),
        )
      case "call":
        return wholeNumber(this, node) ?? numberOfCall(this, node)
      case "datePart":
        return datePartLane(this, node.part, this.number(node.millis))
      default:
        throw notKnown(`"${node.op}"`)
    }
  }

  #numberOfColumn(node: ColumnReference): Lane<"f64"> {
    const { graph } = this
    switch (typeOfReference(node).storage) {
      case "float64":
        return graph.load("f64", this.values(node))
      case "int32":
        return graph.operation("f64.fromI32", graph.load("i32", this.values(node)))
      case "int64":
        return graph.operation("f64.fromSafe", graph.load("i64", this.values(node)))
      default:
        return graph.operation("f64.fromFlag", graph.bit(this.values(node)))
    }
  }

  #arithmetic(node: Binary): Lane<"f64"> {
    const { graph } = this
    const { operator, left, right } = node
    switch (operator) {
      case "+":
        return graph.operation("f64.add", this.number(left), this.number(right))
      case "-":
        return graph.operation("f64.sub", this.number(left), this.number(right))
      case "*":
        return graph.operation("f64.mul", this.number(left), this.number(right))
      case "/":
        return graph.operation("f64.div", this.number(left), this.number(right))
      case "%": {
        if (boundOf(left) === undefined || boundOf(right) === undefined) throw notKnown("% of numbers with fractions")
        // The quotient of whole numbers below 2⁵³ is not rounded over a whole number, so what is taken away is exact.
        const [a, b] = [this.number(left), this.number(right)]
        const quotient = graph.operation("f64.trunc", graph.operation("f64.div", a, b))
        const rest = graph.operation("f64.sub", a, graph.operation("f64.mul", quotient, b))
        return graph.operation("f64.copySign", rest, a)
      }
      case ">>>":
        return graph.operation("f64.fromU32", this.int32(node))
      case "**":
        throw notKnown('"**"')
      default:
        return graph.operation("f64.fromI32", this.int32(node))
    }
  }

  #logical<T extends LaneType>(node: Logical, ask: (side: Ir) => Lane<T>): Lane<T> {
    const [, goesOn] = this.#outcomes(node)
    const left = ask(node.operator === "&&" ? node.left : withoutKinds(node.left, NULLISH))
    return this.graph.select(
      goesOn,
      this.#under(goesOn, () => ask(node.right)),
      left,
    )
  }

  /** `ToInt32` of the value, and of `>>>` the same bits. */
  int32(node: Ir): Lane<"i32"> {
    return this.#ask(node, "int32", () => this.#int32(node))
  }

  #int32(node: Ir): Lane<"i32"> {
    const { graph } = this
    if (node.op === "unary" && node.operator === "~") {
      return graph.operation("i32.xor", this.int32(node.operand), graph.constant("i32", -1))
    }
    if (node.op === "call" && node.name === "Math.imul") {
      const [left, right] = [0, 1].map((index) => node.arguments[index] ?? makeConstant(undefined))
      return graph.operation("i32.mul", this.int32(left!), this.int32(right!))
    }
    if (node.op === "binary") {
      const bits = this.#bitOperation(node)
      if (bits !== undefined) return bits
    }
    const integer = exactInteger(this, node)
    if (integer?.type === "i32") return integer
    if (integer !== undefined) return graph.operation("i32.wrap", integer)
    return graph.operation("i32.fromF64", this.number(node))
  }

  #bitOperation({ operator, left, right }: Binary): Lane<"i32"> | undefined {
    const { graph } = this
    const both = (): [Lane<"i32">, Lane<"i32">] => [this.int32(left), this.int32(right)]
    const shifted = (): [Lane<"i32">, Lane<"i32">] => {
      if (right.op !== "constant") throw notKnown("a shift by what is not written out")
      return [this.int32(left), graph.constant("i32", Number(right.value) & 31)]
    }
    switch (operator) {
      case "&":
        return graph.operation("i32.and", ...both())
      case "|":
        return graph.operation("i32.or", ...both())
      case "^":
        return graph.operation("i32.xor", ...both())
      case "<<":
        return graph.operation("i32.shl", ...shifted())
      case ">>":
        return graph.operation("i32.shrS", ...shifted())
      case ">>>":
        return graph.operation("i32.shrU", ...shifted())
      default:
        return undefined
    }
  }

  /** The value as an int64, where it is a bigint. */
  bigint(node: Ir): Lane<"i64"> {
    return this.#ask(node, "bigint", () => this.#bigint(node))
  }

  #bigint(node: Ir): Lane<"i64"> {
    const { graph } = this
    if (!mayBe(node.kinds, BIGINT)) return graph.constant("i64", 0n)
    switch (node.op) {
      case "constant":
        if (BigInt.asIntN(64, node.value as bigint) !== node.value) throw notKnown("a bigint beyond int64")
        return graph.constant("i64", node.value)
      case "column":
        refuseUnsigned(node)
        return graph.load("i64", this.values(node))
      case "param":
        refuseUnsigned(node)
        return graph.argument("i64", this.#param(node, "bigint"))
      case "let":
        return this.#inLet(() => this.bigint(node.value))
      case "narrowed":
      case "guard":
        return this.bigint(node.value)
      case "unary":
        return unaryBigint(this, node)
      case "binary":
        return binaryBigint(this, node)
      case "logical":
        return this.#logical(node, (side) => this.bigint(side))
      case "conditional":
        return this.#either(
          node.test,
          () => this.bigint(node.then),
          () => this.bigint(node.otherwise),
        )
      default:
        throw notKnown(`"${node.op}" of bigints`)
    }
  }

  /** Whether a column's text, where it is not null, is one that is known before the batch. */
  isText(node: ColumnReference, text: KernelText): Lane<"flag"> {
    const { graph } = this
    const code = graph.argument("i32", { from: "code", path: node.path, text })
    return graph.operation("i32.eq", graph.load("i32", this.values(node)), code)
  }

  /** The code of the value in a target's dictionary, `NULL_CODE`, or `INVALID_CODE`. */
  code(node: Ir, target: number): Lane<"i32"> {
    return this.#ask(node, `code ${target}`, () => this.#code(node, target))
  }

  #code(node: Ir, target: number): Lane<"i32"> {
    const { graph } = this
    if (isWithin(node.kinds, NULL)) return graph.constant("i32", NULL_CODE)
    if (isWithin(node.kinds, UNDEFINED)) return graph.constant("i32", INVALID_CODE)
    const column = this.#texts.textColumn(node)
    if (column !== undefined) return this.#lookUp("i32", column, { kind: "code", column, ir: node, target })
    switch (node.op) {
      case "constant":
      case "param": {
        const argument = graph.argument("i32", { from: "targetCode", target, text: this.textOf(node) })
        return graph.select(this.is(node, NULL), graph.constant("i32", NULL_CODE), argument)
      }
      case "let":
        return this.#inLet(() => this.code(node.value, target))
      case "narrowed":
      case "guard":
        return this.code(node.value, target)
      case "logical":
        return this.#logical(node, (side) => this.code(side, target))
      case "conditional":
        return this.#either(
          node.test,
          () => this.code(node.then, target),
          () => this.code(node.otherwise, target),
        )
      default:
        throw notKnown("a text that is made of several values")
    }
  }

  /** A text that is known before the batch. */
  textOf(node: Ir): KernelText {
    if (node.op === "param") return { param: this.#paramNumber(node) }
    assert(node.op === "constant" && typeof node.value === "string", "a text stands in the source or is a parameter")
    return { constant: node.value }
  }

  /** The answer from a table, where the node is a function of one text. */
  #mapped(node: Ir, kind: "flag", ir: Ir | (() => Ir)): Lane<"flag"> | undefined
  #mapped(node: Ir, kind: "f64", ir: Ir | (() => Ir)): Lane<"f64"> | undefined
  #mapped(node: Ir, kind: "flag" | "f64", ir: Ir | (() => Ir)): Lane | undefined {
    const column = this.#texts.mappedColumn(node)
    if (column === undefined) return undefined
    const table = { kind, column, ir: typeof ir === "function" ? ir() : ir, target: undefined }
    return this.#lookUp(kind, column, table)
  }

  #lookUp<T extends "flag" | "f64" | "i32">(type: T, column: ColumnReference, table: TextTable): Lane<T> {
    const { graph } = this
    const code = graph.load("i32", this.values(column))
    // Null has an entry before all codes.
    const isNull = this.is({ ...column, kinds: column.kinds | (typeOfReference(column).isNullable ? NULL : 0) }, NULL)
    const index = graph.select(isNull, graph.constant("i32", -1), code)
    return graph.lookUp(type, { from: "table", table: this.tables.push(table) - 1 }, index)
  }

  /** The address of a column's values. */
  values({ path }: ColumnReference): KernelArgument {
    return { from: "column", path, part: "values" }
  }

  #param(reference: ParamReference, as: "number" | "bigint" | "truth" | "isNull"): KernelArgument {
    return { from: "param", param: this.#paramNumber(reference), as }
  }

  #paramNumber(reference: ParamReference): number {
    const place = placeOf(reference)
    const known = this.params.findIndex((each) => placeOf(each) === place)
    return known === -1 ? this.params.push(reference) - 1 : known
  }
}

/** A bigint of 64 bits without a sign has no lane of int64. */
function refuseUnsigned(reference: Reference): void {
  if (typeOfReference(reference).definition.isUnsigned) throw notKnown("a uint64")
}

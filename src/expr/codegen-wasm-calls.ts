/** Calls of functions that WebAssembly has instructions for, or that are a few of them. */
import type { LaneQuestions } from "./lane-questions.ts"
import type { Call, Ir } from "./ir.ts"
import { NotCompilable } from "./not-compilable.ts"
import { BIGINT, isWithin, mayBe, NULLISH, NUMBER } from "./value-type.ts"
import type { Lane } from "./wasm-lane.ts"

type Numbers = Lane<"f64">
type NumberFunction = (lanes: LaneQuestions, ...args: Numbers[]) => Numbers
type FlagFunction = (lanes: LaneQuestions, value: Numbers) => Lane<"flag">

const ofOne =
  (name: "f64.abs" | "f64.ceil" | "f64.floor" | "f64.trunc" | "f64.sqrt"): NumberFunction =>
  ({ graph }, x) =>
    graph.operation(name, x ?? graph.constant("f64", NaN))

const ofMany =
  (name: "f64.min" | "f64.max", ofNone: number): NumberFunction =>
  ({ graph }, ...args) =>
    args.length === 0
      ? graph.constant("f64", ofNone)
      : args.reduce((before, each) => graph.operation(name, before, each))

/** Functions of numbers. Those of none or more than they need have JavaScript's meaning. */
const NUMBER_FUNCTIONS: Readonly<Record<string, NumberFunction>> = {
  "Math.abs": ofOne("f64.abs"),
  "Math.ceil": ofOne("f64.ceil"),
  "Math.floor": ofOne("f64.floor"),
  "Math.trunc": ofOne("f64.trunc"),
  "Math.sqrt": ofOne("f64.sqrt"),
  "Math.max": ofMany("f64.max", -Infinity),
  "Math.min": ofMany("f64.min", Infinity),
  "Math.round": ({ graph }, given) => {
    // Half a unit goes up, towards +∞. Between −½ and 0 it is −0, as `ceil` says.
    const x = given ?? graph.constant("f64", NaN)
    const above = graph.operation("f64.ceil", x)
    const isTooHigh = graph.operation("f64.lt", x, graph.operation("f64.sub", above, graph.constant("f64", 0.5)))
    return graph.select(isTooHigh, graph.operation("f64.sub", above, graph.constant("f64", 1)), above)
  },
  "Math.sign": ({ graph }, given) => {
    const x = given ?? graph.constant("f64", NaN)
    const zero = graph.constant("f64", 0)
    const isNegative = graph.operation("f64.lt", x, zero)
    const ofRest = graph.select(isNegative, graph.constant("f64", -1), x)
    return graph.select(graph.operation("f64.lt", zero, x), graph.constant("f64", 1), ofRest)
  },
  Number: ({ graph }, x) => x ?? graph.constant("f64", 0),
}

/** Functions that tell something of a number. */
const FLAG_FUNCTIONS: Readonly<Record<string, FlagFunction>> = {
  isNaN: ({ graph }, x) => graph.not(graph.operation("f64.eq", x, x)),
  isFinite: ({ graph }, x) => graph.operation("f64.lt", graph.operation("f64.abs", x), graph.constant("f64", Infinity)),
  isInteger: ({ graph }, x) =>
    graph.and(
      graph.operation("f64.eq", graph.operation("f64.trunc", x), x),
      graph.operation("f64.lt", graph.operation("f64.abs", x), graph.constant("f64", Infinity)),
    ),
  isSafeInteger: (lanes, x) => isSafeInteger(lanes, x),
}

/** Names of the functions that are compiled here. */
export const NATIVE_FUNCTIONS: ReadonlySet<string> = new Set([
  ...Object.keys(NUMBER_FUNCTIONS),
  ...["Math.imul", "Boolean", "isNaN", "isFinite"],
  ...["Number.isNaN", "Number.isFinite", "Number.isInteger", "Number.isSafeInteger"],
])

/** What a call gives, which is a number. */
export function numberOfCall(lanes: LaneQuestions, { name, arguments: args }: Call): Numbers {
  const native = NUMBER_FUNCTIONS[name]
  if (native === undefined) throw new NotCompilable(`${name} is not compiled to WebAssembly.`)
  if (name === "Number" && args[0]?.kinds === BIGINT) return lanes.graph.operation("f64.fromI64", lanes.bigint(args[0]))
  return native(lanes, ...args.map((each) => lanes.number(each)))
}

/** What a call gives, which is a boolean. */
export function flagOfCall(lanes: LaneQuestions, { name, arguments: args }: Call): Lane<"flag"> {
  const { graph } = lanes
  const [first] = args
  if (name === "Boolean") return first === undefined ? graph.constant("flag", false) : lanes.truth(first)
  const isStrict = name.startsWith("Number.")
  const native = FLAG_FUNCTIONS[isStrict ? name.slice("Number.".length) : name]
  if (native === undefined) throw new NotCompilable(`${name} is not compiled to WebAssembly.`)
  if (first === undefined) return graph.constant("flag", name === "isNaN")
  return isStrict ? ofNumbersOnly(lanes, first, native) : native(lanes, lanes.number(first))
}

/** `Number.isNaN` and its like are false of everything but numbers. */
function ofNumbersOnly(lanes: LaneQuestions, node: Ir, native: FlagFunction): Lane<"flag"> {
  const { graph } = lanes
  if (!mayBe(node.kinds, NUMBER)) return graph.constant("flag", false)
  if (!isWithin(node.kinds, NUMBER | NULLISH)) throw new NotCompilable("It may be a number or something else.")
  return graph.and(graph.not(lanes.is(node, NULLISH)), native(lanes, lanes.presentNumber(node)))
}

/** `Number.isSafeInteger` of a number. */
export function isSafeInteger({ graph }: LaneQuestions, x: Numbers): Lane<"flag"> {
  return graph.and(
    graph.operation("f64.eq", graph.operation("f64.trunc", x), x),
    graph.operation("f64.le", graph.operation("f64.abs", x), graph.constant("f64", Number.MAX_SAFE_INTEGER)),
  )
}

/** A grammar of lambdas, for the fuzzer: random texts, mostly such as are in the subset. */
import type { Prng } from "../base/prng.ts"
import type { ColumnType } from "../batch/type.ts"
import { t } from "../batch/types.ts"
import { UTC_PARTS } from "../time/utc-part.ts"
import { ANY_RESULT, randomCall, type ArgumentWriter } from "./lambda-calls.fixture.ts"
import { LaneGrammar, literalOf, TextGrammar } from "./lambda-lanes.fixture.ts"
import { LITERALS, NUMBERS } from "./lambda-rows.fixture.ts"
import { BOOLEAN, NUMBER, STRING } from "./value-type.ts"

const PATTERNS = ["a", "^$", "[A-J]+", "(?<x>\\d)|é", '\\/|"', "(.)\\1", "(?:)", "\\u2028", "n?ull$", "."]
const DATE_PARTS = Object.keys(UTC_PARTS)

/** What lambdas find outside of themselves, by the names that it has there: no value of theirs ever changes. */
export const CAPTURED: Readonly<Record<string, null | boolean | number | bigint | string>> = {
  ...{
    K_ZERO: -0,
    K_NAN: NaN,
    K_SAFE: 2 ** 53 + 2,
    K_TEXT: "😀",
    K_EMPTY: "",
    K_LONG: -(2n ** 63n),
    K_HUGE: 2n ** 70n,
  },
  ...{ K_NO: false, K_NULL: null },
}

/** Writes random expressions, of a kind or of any, mostly such as are in the subset. */
export class Grammar {
  readonly prng: Prng
  /** Local names in scope, by kind. */
  names: { number: string[]; string: string[]; bigint: string[]; boolean: string[] } = noNames()

  constructor(prng: Prng) {
    this.prng = prng
  }

  number(depth: number): string {
    const { prng } = this
    const leaves = [
      "r.f",
      "r.i",
      "r.l",
      "r.v",
      "r.x",
      "r.at",
      "p.limit",
      "r.s.length",
      "K_ZERO",
      "K_NAN",
      "K_SAFE",
      ...this.names.number,
    ]
    if (depth <= 0) return prng.chance(0.3) ? this.numberLiteral() : prng.pick(leaves)
    const n = (): string => this.number(depth - 1)
    const loose = (): string => this.numberLike(depth - 1)
    switch (prng.below(18)) {
      case 0:
        return prng.pick(leaves)
      case 16:
        return randomCall(prng, NUMBER, this.arguments(depth - 1))
      case 17:
        return prng.pick(["Math.PI", "Math.SQRT1_2", "Number.EPSILON", "Number.MAX_SAFE_INTEGER", "Number.MIN_VALUE"])
      case 14:
        return `new Date(${prng.pick([loose, () => "r.at / 1000", () => "r.j"])()}).${prng.pick(DATE_PARTS)}()`
      case 15:
        return `${this.string(depth - 1)}.search(${this.regex()})`
      case 1:
        return this.numberLiteral()
      case 2:
      case 3:
      case 4:
        return `(${loose()} ${prng.pick(["+", "-", "*", "/", "%"])} ${loose()})`
      case 5:
        return `((${loose()}) ${prng.pick(["**", "&", "|", "^", "<<", ">>", ">>>"])} ${loose()})`
      case 6:
        return `(${prng.pick(["-", "+", "~"])} ${prng.pick([loose, loose, () => this.string(depth - 1)])()})`
      case 7:
        return `(${prng.pick(["r.g", "r.j", "r.q?.x", "r.o.x", "p.some", "r.o.p?.z", "p.at?.x"])} ?? ${n()})`
      case 8: {
        const name = prng.pick(["abs", "ceil", "floor", "round", "sqrt", "trunc", "sign", "fround", "clz32", "log2"])
        return `Math.${name}(${loose()})`
      }
      case 9:
        return `Math.${prng.pick(["max", "min", "hypot", "atan2", "imul"])}(${loose()}, ${loose()})`
      case 10:
        return `(${this.boolean(depth - 1)} ? ${n()} : ${n()})`
      case 11:
        return `${prng.pick(["Number", "parseFloat", "parseInt"])}(${this.any(depth - 1, true)})`
      case 12:
        return `${this.string(depth - 1)}.${prng.pick(["length", "indexOf(r.s)", "charCodeAt(r.i)", `lastIndexOf(${this.text()})`])}`
      default:
        return `(${this.string(depth - 1)} ${prng.pick(["-", "*", "/"])} ${n()})`
    }
  }

  /** A number, a boolean or null. */
  numberLike(depth: number): string {
    const { prng } = this
    if (prng.chance(0.6)) return this.number(depth)
    if (prng.chance(0.2)) return this.boolean(depth)
    return prng.pick([
      "r.g",
      "r.j",
      "r.maybe",
      "r.yes",
      "r.o.x",
      "p.some",
      "null",
      "true",
      "void 0",
      "r.q?.x",
      "r.q.m",
      "undefined",
      "K_NULL",
    ])
  }

  boolean(depth: number): string {
    const { prng } = this
    if (depth <= 0) return prng.pick(["r.yes", "p.on", "true", "!1", "K_NO", "(r.u === null)", ...this.names.boolean])
    const nullable = (): string =>
      prng.pick(["r.g", "r.j", "r.m", "r.c", "r.u", "r.maybe", "r.q", "r.o.p", "r.o.x", "r.tags", "p.some", "p.at"])
    switch (prng.below(16)) {
      case 14:
        return randomCall(prng, BOOLEAN, this.arguments(depth - 1))
      case 15:
        return `(${this.string(depth - 1)} ${this.relation()} ${prng.pick([() => this.string(depth - 1), () => "r.u"])()})`
      case 13:
        return `${this.regex()}.test(${prng.pick([() => this.string(depth - 1), () => "r.u", () => this.any(depth - 1, true)])()})`
      case 0:
      case 1:
        return `(${this.numberLike(depth - 1)} ${this.relation()} ${this.numberLike(depth - 1)})`
      case 2:
        return `(${this.any(depth - 1, true)} ${this.relation()} ${this.any(depth - 1, true)})`
      case 3:
        return `(${prng.pick(["r.s", "r.e", "r.u", "r.o.y", "r.q?.y"])} ${this.equality()} ${prng.pick([this.text(), "p.word", "r.s"])})`
      case 4:
        return `(${prng.pick(["r.g", "r.j", "r.i", "r.f"])} ${this.equality()} ${this.numberLike(depth - 1)})`
      case 5:
        return `(${nullable()} ${this.equality()} ${prng.pick(["null", "void 0", "undefined"])})`
      case 6:
        return `!${prng.chance(0.3) ? nullable() : `(${this.any(depth - 1, true)})`}`
      case 7:
        return `(${this.boolean(depth - 1)} ${prng.pick(["&&", "||"])} ${this.boolean(depth - 1)})`
      case 8:
        return `Number.${prng.pick(["isNaN", "isFinite", "isInteger", "isSafeInteger"])}(${this.any(depth - 1, true)})`
      case 9:
        return `${this.string(depth - 1)}.${prng.pick(["startsWith", "endsWith", "includes"])}(${this.string(depth - 1)})`
      case 10:
        return `(typeof ${prng.pick([nullable(), `(${this.any(depth - 1, true)})`])} === "${prng.pick(["number", "object", "string", "undefined", "bigint", "boolean"])}")`
      case 11:
        return `(${this.bigint(depth - 1)} ${this.relation()} ${prng.pick([() => this.bigint(depth - 1), () => this.number(depth - 1)])()})`
      default:
        return `(${this.boolean(depth - 1)} ? ${this.boolean(depth - 1)} : ${this.boolean(depth - 1)})`
    }
  }

  string(depth: number): string {
    const { prng } = this
    const leaves = ["r.s", "r.e", "p.word", "r.o.y", "K_TEXT", "K_EMPTY", ...this.names.string]
    if (depth <= 0) return prng.chance(0.3) ? this.text() : prng.pick(leaves)
    switch (prng.below(13)) {
      case 0:
        return prng.pick(leaves)
      case 12:
        return randomCall(prng, STRING, this.arguments(depth - 1))
      case 9: {
        const method = prng.pick(["replace", "replaceAll"])
        const pattern = prng.chance(0.5) ? this.regex(method === "replaceAll") : this.string(depth - 2)
        return `${this.string(depth - 1)}.${method}(${pattern}, ${prng.pick([() => '"<$&>"', () => this.any(depth - 2, true)])()})`
      }
      case 10:
        return `${this.string(depth - 1)}.${prng.pick(["padStart(3, r.s)", "padEnd(5)", "repeat(2)", 'normalize("NFD")', "substr(r.i, 2)"])}`
      case 11:
        return `(${this.number(depth - 1)}).${prng.pick(["toFixed(2)", "toString()", "toString(36)", "toPrecision(3)"])}`
      case 1:
        return this.text()
      case 2:
        return `(${this.string(depth - 1)} + ${this.any(depth - 1, true)})`
      case 3:
        return `\`<\${${this.any(depth - 1, true)}}\\n\${${this.string(depth - 1)}}\\u2028\``
      case 4:
        return `(${this.boolean(depth - 1)} ? ${this.string(depth - 1)} : ${this.string(depth - 1)})`
      case 5:
        return `${this.string(depth - 1)}.${prng.pick(["trim()", "toUpperCase()", "toLowerCase()", "slice(1)", "charAt(0)", "concat(r.s)", "substring(r.i)"])}`
      case 6:
        return `String(${this.any(depth - 1, true)})`
      case 7:
        return `(${prng.pick(["r.u", "r.q?.y", "r.o.p?.w", "p.at?.y"])} ?? ${this.string(depth - 1)})`
      default:
        return `(typeof ${this.any(depth - 1, true)})`
    }
  }

  bigint(depth: number): string {
    const { prng } = this
    const leaves = [
      "r.b",
      "r.w",
      "p.big",
      "5n",
      "-3n",
      "0n",
      "9223372036854775807n",
      "K_LONG",
      "K_HUGE",
      ...this.names.bigint,
    ]
    if (depth <= 0) return prng.pick(leaves)
    const b = (): string => this.bigint(depth - 1)
    switch (prng.below(8)) {
      case 0:
        return prng.pick(leaves)
      case 1:
      case 2:
        return `(${b()} ${prng.pick(["+", "-", "*", "&", "|", "^"])} ${b()})`
      case 3:
        return `((${b()}) ${prng.pick(["/ 3n", "% -7n", "<< 3n", ">> 2n", "<< -70n", ">> -3n", "** 2n"])})`
      case 4:
        return prng.pick([`(${prng.pick(["-", "~"])} ${b()})`, `(${b()} / (${b()}))`, `(${b()} % r.b)`, "(r.c + r.b)"])
      case 5:
        return `(r.c ?? ${b()})`
      case 6:
        return `(${prng.pick(["r.c === null", "!(r.c !== null)", "null == r.c", "!(r.c || r.c === 0n)"])} ? ${b()} : r.c + ${b()})`
      default:
        return `(${this.boolean(depth - 1)} ? ${b()} : ${b()})`
    }
  }

  /** A value of any kind. Without `isLoose` it may be what only truth is asked of. */
  any(depth: number, isLoose = false): string {
    const { prng } = this
    const a = (): string => this.any(depth - 1, isLoose)
    switch (prng.below(depth <= 0 ? 6 : 12)) {
      case 11:
        return this.call(depth - 1)
      case 0:
        return this.number(depth)
      case 1:
        return this.string(depth)
      case 2:
        return this.boolean(depth)
      case 3:
        return isLoose && prng.chance(0.8) ? this.number(depth) : this.bigint(depth)
      case 4:
        return prng.pick(["r.g", "r.j", "r.u", "r.maybe", "r.o.x", "r.q?.x", "r.o.p?.w", "p.some", "p.at?.y"])
      case 5:
        return prng.pick(["null", "void 0", "NaN", "Infinity", "undefined", "r.q?.n"])
      case 6:
        return `(${a()} ${prng.pick(["&&", "||", "??"])} ${a()})`
      case 7:
        return `(${this.boolean(depth - 1)} ? ${a()} : ${a()})`
      case 8:
        return prng.pick([
          "r.u.length",
          "r.q.n",
          "r.o.p.w",
          "r.o.p.w.length",
          "p.at.y?.length",
          "(r.q && r.q.x)",
          "(r.q !== null && r.q.y)",
          "(!r.q || r.q.n > 0n)",
          "(r.o.p == null ? r.f : r.o.p.z + 1)",
          "(r.q && r.q.y && r.q.y.length)",
          "(p.at && p.at.x > 1)",
          "(r.u !== null && r.u.startsWith(p.word))",
        ])
      case 9:
        return `(${a()}, ${a()})`
      default: {
        // What stands several times, here for every row and there for some.
        const text = this.string(depth - 2)
        return prng.pick([
          `(${text} === "a" ? 1 : ${text})`,
          `(r.yes ? ${text}.length : ${text} + ${text})`,
          `((r.f > 0 && ${text} === r.s) || ${text}.length > 1)`,
          `(${text} < ${text} || r.u)`,
        ])
      }
    }
  }

  private call(depth: number): string {
    return randomCall(this.prng, ANY_RESULT, this.arguments(depth))
  }

  /** What a call is given: no bigints, for which most functions throw. */
  private arguments(depth: number): ArgumentWriter {
    const { prng } = this
    return {
      number: () => this.number(depth),
      text: () => this.string(depth),
      any: () => prng.pick([() => this.numberLike(depth), () => this.string(depth), () => this.boolean(depth)])(),
    }
  }

  /** A predicate: any value, or one that is drawn toward what a back end has a form of its own for. */
  predicate(): string {
    const { prng } = this
    switch (prng.below(8)) {
      case 0:
      case 1:
        return this.cheap(3)
      case 2:
      case 3: {
        const texts = new TextGrammar(prng)
        return prng.chance(0.5) ? texts.any(3) : `(${texts.any(2)} ${this.relation()} ${texts.call(2)})`
      }
      case 4:
      case 5:
        return new LaneGrammar(prng).flag(4)
      case 6:
        return `(${this.any(2)} ${this.relation()} ${this.call(2)})`
      default:
        return this.any(4)
    }
  }

  /** A test that is compiled without branches, or nearly so. */
  cheap(depth: number): string {
    const { prng } = this
    const number = (): string =>
      prng.pick([
        "r.f",
        "r.g",
        "r.i",
        "r.j",
        "r.at",
        "p.limit",
        "p.some",
        "r.yes",
        "(r.f + r.g)",
        "-r.i",
        "null",
        this.numberLiteral(),
      ])
    switch (prng.below(depth <= 0 ? 6 : 10)) {
      case 0:
        return `${number()} ${this.relation()} ${number()}`
      case 1:
        return `${prng.pick(["r.s", "r.u", "r.e", "r.o.y"])} ${this.equality()} ${prng.pick([this.text(), "p.word"])}`
      case 2:
        return `${prng.pick(["r.g", "r.u", "r.q", "r.o", "r.s", "r.maybe", "r.o.p", "r.tags", "r.raw"])} ${this.equality()} ${prng.pick(["null", "void 0"])}`
      case 3:
        return prng.pick(["r.yes", "r.maybe", "p.on", "true", "false", "null", "(r.maybe ?? r.yes)"])
      case 4:
        return prng.pick(["r.q !== null && r.q.x > 1", "r.o.p && r.o.p.z < 1", "r.u !== null && r.u.length > 1"])
      case 5:
        return prng.pick(["r.g !== null && r.g > 1", "r.q == null || r.q.x !== 3", "!r.o.p || r.o.p.z === 0"])
      case 6:
        return `!(${this.cheap(depth - 1)})`
      default:
        return `(${this.cheap(depth - 1)}) ${prng.pick(["&&", "||"])} (${this.cheap(depth - 1)})`
    }
  }

  /** A test that may or may not tell whether something is null. */
  nullTest(depth: number): string {
    const { prng } = this
    const place = prng.pick(["r.q", "r.u", "r.c", "v0", "v1"])
    const test = (): string => this.nullTest(depth - 1)
    switch (prng.below(depth <= 0 ? 4 : 9)) {
      case 0:
        return place
      case 1:
        return `(${place} ${this.equality()} ${prng.pick(["null", "undefined"])})`
      case 2:
        return `(${prng.pick(["null", "void 0"])} ${this.equality()} ${place})`
      case 3:
        return prng.pick(["r.yes", "r.maybe", "r.q?.y", "(r.q?.y !== null)", "(r.q?.y != null)", "true", "null", "0"])
      case 4:
        return `!${test()}`
      case 5:
      case 6:
        return `(${test()} ${prng.pick(["&&", "||", "??"])} ${test()})`
      case 7:
        return `(${test()} ? ${prng.pick([test(), "false", "null", "void 0", "true"])} : ${prng.pick([test(), "0", "null"])})`
      default:
        return `(${test()}, ${test()})`
    }
  }

  /** What throws where something is null. */
  private needy(): string {
    return this.prng.pick([
      "r.q.x",
      "r.q.y",
      "r.u.length",
      "r.c + 1n",
      "v0.length",
      "v1 * 2n",
      "r.q.n - r.c",
      "r.i",
      "r.b / r.c",
      "r.c % v1",
      "-r.q.m",
      "r.q.m * 2",
      "(r.q.y).length",
      "r.o.p.w.trim()",
      "2n ** (r.c & 7n)",
    ])
  }

  /** A lambda in which tests may or may not keep what throws from being evaluated. */
  guarded(): string {
    const { prng } = this
    const locals = "const v0 = r.q?.y, v1 = r.yes ? r.c : void 0"
    const guard = (): string => this.nullTest(2)
    const needy = (): string => this.needy()
    switch (prng.below(5)) {
      case 4: {
        const dear = (): string => prng.pick([needy(), "/a/.test(r.s)", "r.s.trim() !== r.e", guard(), guard()])
        const cheap = (): string => prng.pick(["r.f > 0", "r.yes", guard(), "r.e === 'red'"])
        const tests = [dear(), cheap(), dear(), cheap()].map((test) => `(${test})`)
        return `(r, p) => { ${locals}; return ${tests.join(prng.pick([" && ", " || "]))} }`
      }
      case 0:
        return `(r, p) => { ${locals}; return ${guard()} ? ${prng.pick([needy(), "1"])} : ${prng.pick([needy(), "1", "0"])} }`
      case 1:
        return `(r, p) => { ${locals}; return (${guard()} ${prng.pick(["&&", "||", "??"])} (${needy()})) }`
      case 2:
        return `(r, p) => { ${locals}; if (${guard()}) return ${prng.pick([needy(), "1"])}; return ${prng.pick([needy(), "1"])} }`
      default:
        return `(r, p) => { ${locals}; if (${guard()}) return 1; if (${guard()}) return ${prng.pick([needy(), "1"])}; const v2 = ${needy()}; return v2 || v2 }`
    }
  }

  /** The body of a function that gives what `result` writes: an object, or any value. */
  body(shape: "object" | "value", result: () => string): string {
    const { prng } = this
    this.names = noNames()
    if (prng.chance(0.5)) return `=> (${result()})`
    const statements: string[] = []
    for (let count = prng.below(4); count > 0; count--) {
      const kind = prng.pick(["number", "string", "bigint", "boolean"] as const)
      const name = `v${statements.length}`
      switch (prng.below(5)) {
        case 0:
          statements.push(`if (${this.any(2)}) return ${result()}`)
          break
        case 1:
          statements.push(
            `if (${this.boolean(2)}) { const w${name} = ${this.number(1)}; return ${result()} } else if (r.maybe) return ${result()}; else { return ${result()} }`,
          )
          return `=> { ${statements.join("; ")} }`
        default:
          statements.push(`${prng.pick(["const", "let", "var"])} ${name} = ${this[kind](2)}`)
          this.names[kind].push(name)
      }
    }
    if (shape === "value" && prng.chance(0.3)) {
      // As compilers write `??` for older engines.
      statements.unshift("var _a")
      statements.push(
        `return (_a = ${prng.pick(["r.g", "r.u", "r.q?.x", "r.c"])}) !== null && _a !== void 0 ? _a : ${result()}`,
      )
    } else statements.push(`return ${result()}`)
    return `=> { ${statements.join("; ")} }`
  }

  private numberLiteral(): string {
    return literalOf(this.prng.pick(NUMBERS))
  }

  private text(): string {
    return JSON.stringify(this.prng.pick(LITERALS))
  }

  private regex(isGlobal = false): string {
    const flags = ["g", "i", "m", "s", "u", "y", "d"].filter(
      (flag) => (flag === "g" && isGlobal) || this.prng.chance(0.2),
    )
    return `/${this.prng.pick(PATTERNS)}/${flags.join("")}`
  }

  private relation(): string {
    return this.prng.pick(["<", ">", "<=", ">=", "===", "!==", "==", "!="])
  }

  private equality(): string {
    return this.prng.pick(["===", "!==", "==", "!="])
  }
}

function noNames(): Grammar["names"] {
  return { number: [], string: [], bigint: [], boolean: [] }
}

/** A column of a projection, and what writes an expression for it. */
export interface RandomTarget {
  readonly name: string
  readonly type: ColumnType
  readonly write: (grammar: Grammar) => string
}

/** Some columns for a projection. */
export function randomTargets(prng: Prng): RandomTarget[] {
  const kinds = [
    { type: t.float64, write: (grammar: Grammar) => grammar.number(3) },
    { type: t.float64.nullable(), write: (grammar: Grammar) => prng.pick([grammar.number(2), "r.g", "r.f", "null"]) },
    {
      type: t.float64.nullable(),
      write: (grammar: Grammar) => `(${grammar.boolean(2)} ? ${grammar.number(2)} : null)`,
    },
    { type: t.string, write: (grammar: Grammar) => prng.pick([grammar.string(3), "r.s", "r.e", "r.o.y"]) },
    {
      type: t.string.nullable(),
      write: (grammar: Grammar) => prng.pick([grammar.string(2), "r.u", "r.o.p?.w ?? null"]),
    },
    { type: t.bool.nullable(), write: (grammar: Grammar) => prng.pick([grammar.boolean(3), "r.maybe"]) },
    { type: t.int64, write: (grammar: Grammar) => grammar.bigint(3) },
    { type: t.int64.nullable(), write: (grammar: Grammar) => prng.pick([grammar.bigint(2), "r.c"]) },
    { type: t.int32, write: (grammar: Grammar) => prng.pick(["r.i", "r.i + 1", "-r.i", "r.f", grammar.number(2)]) },
    { type: t.date, write: (grammar: Grammar) => prng.pick(["r.i", "r.m ?? 5", grammar.number(2)]) },
    { type: t.duration(), write: (grammar: Grammar) => prng.pick(["r.at", "r.i", grammar.number(2)]) },
    {
      type: t.uint8,
      write: (grammar: Grammar) => prng.pick(["r.l", "r.l + 1", "r.i", "r.i & 255", grammar.number(2)]),
    },
    { type: t.int16.nullable(), write: () => prng.pick(["r.m", "r.l * 200", new LaneGrammar(prng).whole(2)]) },
    { type: t.uint32, write: (grammar: Grammar) => prng.pick(["r.v", "r.i >>> 0", "r.v + r.l", grammar.number(2)]) },
    { type: t.uint64, write: (grammar: Grammar) => prng.pick(["r.w", "r.w + 1n", grammar.bigint(2)]) },
    { type: t.float32, write: (grammar: Grammar) => prng.pick(["r.x", "r.f", grammar.number(2)]) },
    { type: t.int53, write: (grammar: Grammar) => prng.pick(["r.at - 1", "r.at", "-r.i", grammar.number(2)]) },
    { type: t.timestamp().nullable(), write: (grammar: Grammar) => prng.pick(["r.j", "r.at", grammar.any(2)]) },
    { type: t.enum("a", "red", "JFK"), write: (grammar: Grammar) => prng.pick(["r.e", '"red"', grammar.string(2)]) },
    { type: t.float64, write: () => new LaneGrammar(prng).number(3) },
    { type: t.int32.nullable(), write: () => new LaneGrammar(prng).whole(3) },
    { type: t.int53, write: () => new LaneGrammar(prng).whole(2) },
    { type: t.int64, write: () => new LaneGrammar(prng).bigint(3) },
    { type: t.bool, write: () => new LaneGrammar(prng).flag(3) },
    { type: t.string, write: () => new TextGrammar(prng).text(3) },
    { type: t.float64, write: () => new TextGrammar(prng).number(3) },
    { type: t.bool, write: () => new TextGrammar(prng).flag(3) },
    { type: t.float64.nullable(), write: () => new TextGrammar(prng).call(2) },
    { type: t.string.nullable(), write: () => new TextGrammar(prng).any(3) },
    { type: t.float64, write: (grammar: Grammar) => grammar.any(2) },
    { type: t.string, write: (grammar: Grammar) => grammar.any(2) },
  ]
  return Array.from({ length: 1 + prng.below(3) }, (_, index) => ({ name: `x${index}`, ...prng.pick(kinds) }))
}

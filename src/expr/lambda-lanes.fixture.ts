/**
 * Grammars of what WebAssembly takes, for the fuzzer of lambdas: expressions of one text, which it answers by a table, and
 * of numbers and bigints that it has instructions for.
 */
import type { Prng } from "../base/prng.ts"
import { ANY_RESULT, randomCall, type ArgumentWriter } from "./lambda-calls.fixture.ts"
import { LITERALS, NUMBERS } from "./lambda-rows.fixture.ts"
import { UTC_PARTS } from "../time/utc-part.ts"
import { BOOLEAN, NUMBER, STRING } from "./value-type.ts"

const RELATIONS = ["<", ">", "<=", ">=", "===", "!==", "==", "!="]
const PATTERNS = ["a", "^$", "[A-J]+", "(?<x>\\d)|é", "(.)\\1", "n?ull$", "."]
const WHOLE_NUMBERS = ["0", "1", "-1", "7", "-8", "31", "255", "2147483647", "-2147483648", "4294967296"]

/** A number as it stands in a lambda. */
export function literalOf(value: number): string {
  return Object.is(value, -0) ? "-0" : value < 0 ? `(${value})` : String(value)
}

/** Expressions of the text of one column, and of parameters. */
export class TextGrammar {
  readonly #prng: Prng
  readonly #column: string
  /** The column's text where there is one, and else another. */
  readonly #present: string

  constructor(prng: Prng) {
    this.#prng = prng
    this.#column = prng.pick(["r.s", "r.u", "r.e"])
    this.#present = this.#column === "r.u" ? '(r.u ?? "none")' : this.#column
  }

  text(depth: number): string {
    const prng = this.#prng
    const literal = (): string => JSON.stringify(prng.pick(LITERALS))
    const leaf = (): string => prng.pick([this.#present, this.#present, literal(), "p.word"])
    if (depth <= 0) return leaf()
    const text = (): string => this.text(depth - 1)
    switch (prng.below(8)) {
      case 0:
        return leaf()
      case 1:
        return `(${text()} + ${this.any(depth - 1)})`
      case 2:
        return `\`<\${${this.any(depth - 1)}}\${${text()}}\\u2028\``
      case 3:
        return `(${this.flag(depth - 1)} ? ${text()} : ${text()})`
      case 4:
        return `(typeof ${prng.pick([() => this.any(depth - 1), () => this.#mixed(depth - 1)])()})`
      case 5: {
        const flags = prng.pick(["g", "gi", "gu", "gs"])
        return prng.pick([
          `${text()}.replace(/${prng.pick(PATTERNS)}/${prng.pick([flags, "", "y"])}, ${text()})`,
          `${text()}.replaceAll(/${prng.pick(PATTERNS)}/${flags}, ${text()})`,
        ])
      }
      default:
        return randomCall(prng, STRING, this.#writer(depth - 1))
    }
  }

  number(depth: number): string {
    const prng = this.#prng
    const leaf = (): string =>
      prng.pick([`${this.#present}.length`, `+${this.#present}`, literalOf(prng.pick(NUMBERS)), "p.limit", "p.some"])
    if (depth <= 0) return leaf()
    const number = (): string => this.number(depth - 1)
    switch (prng.below(10)) {
      case 0:
        return leaf()
      case 9:
        return `(${this.text(depth - 1)} ${prng.pick(["-", "*", "/"])} ${number()})`
      case 1:
      case 2:
        return `((${number()}) ${prng.pick(["+", "-", "*", "/", "%", "**", "&", "|", "^", "<<", ">>", ">>>"])} ${number()})`
      case 3:
        return `(${prng.pick(["-", "+", "~"])} ${prng.pick([number, () => this.text(depth - 1)])()})`
      case 4:
        return `(${this.flag(depth - 1)} ? ${number()} : ${number()})`
      case 5:
        return `${this.text(depth - 1)}.search(/${prng.pick(PATTERNS)}/)`
      case 6:
        return `new Date(${number()}).${prng.pick(Object.keys(UTC_PARTS))}()`
      default:
        return randomCall(prng, NUMBER, this.#writer(depth - 1))
    }
  }

  flag(depth: number): string {
    const prng = this.#prng
    const leaf = (): string => prng.pick(["p.on", `${this.#column} === null`, `${this.#present}.startsWith(p.word)`])
    if (depth <= 0) return leaf()
    const relation = prng.pick(RELATIONS)
    switch (prng.below(10)) {
      case 0:
        return leaf()
      case 8:
        return `(${this.#mixed(depth - 1)} ${relation} ${this.any(depth - 1)})`
      case 9:
        return `!${prng.pick([() => this.#mixed(depth - 1), () => `(${this.any(depth - 1)})`])()}`
      case 1:
        return `(${this.number(depth - 1)} ${relation} ${this.number(depth - 1)})`
      case 2:
        return `(${this.text(depth - 1)} ${relation} ${this.text(depth - 1)})`
      case 3:
        return `(${this.any(depth - 1)} ${relation} ${this.any(depth - 1)})`
      case 4:
        return `(${this.flag(depth - 1)} ${prng.pick(["&&", "||"])} !(${this.any(depth - 1)}))`
      case 5:
        return `/${prng.pick(PATTERNS)}/.test(${this.any(depth - 1)})`
      default:
        return randomCall(prng, BOOLEAN, this.#writer(depth - 1))
    }
  }

  /** A call of any function. */
  call(depth: number): string {
    return randomCall(this.#prng, ANY_RESULT, this.#writer(depth))
  }

  any(depth: number): string {
    const any = (): string => this.any(depth - 1)
    switch (this.#prng.below(depth <= 0 ? 4 : 8)) {
      case 5:
      case 6:
      case 7:
        return this.call(depth - 1)
      case 0:
        return this.number(depth)
      case 1:
        return this.text(depth)
      case 2:
        return this.flag(depth)
      case 3:
        return this.#prng.pick([this.#column, "null", "undefined", "p.some"])
      default:
        return `(${any()} ${this.#prng.pick(["&&", "||", "??"])} ${any()})`
    }
  }

  /** A value of one of two kinds. */
  #mixed(depth: number): string {
    return `(${this.flag(depth)} ? ${this.text(depth)} : ${this.number(depth)})`
  }

  #writer(depth: number): ArgumentWriter {
    return { number: () => this.number(depth), text: () => this.text(depth), any: () => this.any(depth) }
  }
}

const FUNCTIONS = ["abs", "ceil", "floor", "trunc", "sqrt", "round", "sign", "max", "min"]

/** Expressions that are compiled to instructions of WebAssembly. */
export class LaneGrammar {
  readonly #prng: Prng

  constructor(prng: Prng) {
    this.#prng = prng
  }

  number(depth: number): string {
    const prng = this.#prng
    if (depth <= 0) return prng.pick(["r.f", "r.g", "r.j", "r.o.x", "p.limit", "p.some", "r.yes", this.whole(0)])
    const number = (): string => this.number(depth - 1)
    switch (prng.below(10)) {
      case 0:
        return literalOf(prng.pick(NUMBERS))
      case 1:
      case 2:
        return `(${number()} ${prng.pick(["+", "-", "*", "/"])} ${number()})`
      case 3:
        return `(${prng.pick(["r.g", "r.j", "r.o.x", "r.o.p?.z", "r.q?.m", "p.some", "p.at?.x"])} ?? ${number()})`
      case 4:
        return `(${this.flag(depth - 1)} ? ${number()} : ${number()})`
      case 5:
        return `Math.${prng.pick(FUNCTIONS)}(${prng.pick([[], [number()], [number()], [number(), number()]]).join(", ")})`
      case 6:
        return `new Date(${prng.pick([number, () => "r.at / 1000", () => "r.at"])()}).${prng.pick(Object.keys(UTC_PARTS))}()`
      case 7:
        return `Number(${prng.pick([number, () => this.bigint(depth - 1), () => this.flag(depth - 1)])()})`
      case 8:
        return `(- ${number()})`
      default:
        return this.whole(depth)
    }
  }

  /** A number that has no fraction. */
  whole(depth: number): string {
    const prng = this.#prng
    if (depth <= 0) return prng.pick(["r.i", "r.l", "r.v", "r.at", "(r.j ?? 7)", prng.pick(WHOLE_NUMBERS)])
    const whole = (): string => this.whole(depth - 1)
    switch (prng.below(7)) {
      case 6:
        return `Math.floor(${whole()} / ${prng.pick(["1", "3", "10", "5280", "2147483647", "2147483648", "-7", "0"])})`
      case 0:
        return `(${whole()} % ${prng.pick([whole, () => "7", () => "1000"])()})`
      case 1:
        return `(${whole()} ${prng.pick(["&", "|", "^"])} ${prng.pick([whole, () => this.number(depth - 1)])()})`
      case 2:
        return `(${prng.pick([whole, () => this.number(depth - 1)])()} ${prng.pick(["<<", ">>", ">>>"])} ${prng.below(34)})`
      case 3:
        return `Math.imul(${whole()}, ${whole()})`
      case 4:
        return `(~${whole()})`
      default:
        return `(${whole()} ${prng.pick(["+", "-", "*"])} ${whole()})`
    }
  }

  bigint(depth: number): string {
    const prng = this.#prng
    if (depth <= 0) return prng.pick(["r.b", "(r.c ?? 3n)", "p.big", "5n", "-9223372036854775808n", "K_LONG"])
    const bigint = (): string => this.bigint(depth - 1)
    switch (prng.below(6)) {
      case 0:
      case 1:
        return `(${bigint()} ${prng.pick(["+", "-", "*", "&", "|", "^"])} ${bigint()})`
      case 2:
        return `(${bigint()} ${prng.pick(["/ 3n", "/ -7n", "% 10n", "% -3n"])})`
      case 3:
        return `(${prng.pick(["-", "~"])} ${bigint()})`
      case 4:
        return `(${this.flag(depth - 1)} ? ${bigint()} : ${bigint()})`
      default:
        return bigint()
    }
  }

  flag(depth: number): string {
    const prng = this.#prng
    const relation = prng.pick(RELATIONS)
    const equality = prng.pick(["===", "!==", "==", "!="])
    if (depth <= 0) return prng.pick(["r.yes", "(r.maybe ?? p.on)", "(r.u === null)", "(r.q == null)", "!r.c", "K_NO"])
    switch (prng.below(11)) {
      case 0:
      case 1:
        return `(${this.number(depth - 1)} ${relation} ${this.number(depth - 1)})`
      case 2:
        return `(${this.whole(depth - 1)} ${relation} ${this.whole(depth - 1)})`
      case 3:
        return `(${this.bigint(depth - 1)} ${relation} ${this.bigint(depth - 1)})`
      case 4:
        return `(${prng.pick(["r.b", "r.c", "p.big"])} ${prng.pick(["<", ">", "<=", ">="])} ${prng.pick(["r.i", "r.at", "r.j", "53"])})`
      case 5:
        return `(${prng.pick(["r.s", "r.u", "r.e"])} ${equality} ${prng.pick(["p.word", "K_TEXT", '"a"', '""', "null"])})`
      case 6: {
        const name = prng.pick(["isNaN", "isFinite", "Boolean", "Number.isNaN", "Number.isFinite", "Number.isInteger"])
        return `${prng.pick([name, name, "Number.isSafeInteger"])}(${this.number(depth - 1)})`
      }
      case 7:
        return `(${this.flag(depth - 1)} ${equality} ${this.flag(depth - 1)})`
      case 8:
        return `!(${prng.pick([this.number(depth - 1), this.bigint(depth - 1), this.flag(depth - 1), "r.s", "r.u"])})`
      default:
        return `(${this.flag(depth - 1)} ${prng.pick(["&&", "||"])} ${this.flag(depth - 1)})`
    }
  }
}

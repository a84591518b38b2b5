/**
 * Aggregates of a program's own: `aggregate({ state, type, init, add, merge, result })`, and `reduce`, whose state is a row.
 *
 * A partial result is a value of the declared state type, as a column of that type would hold it. It is frozen: functions give
 * another one, and do not change the one that they are given. So a function that throws halfway has changed nothing, and
 * what is written to bytes and read back is what was there.
 *
 * Where `add` throws or gives what is no state, its record fails. Where `init`, `merge` or `inverse` does, no record can be
 * named: the error is kept as the partial result, and the rows of the windows that have it fail, as where `result` throws.
 *
 * In state: 1 and the state; 2 and the error's message; and 0 before the first record, where there is no `init`.
 */
import type { ByteReader, ByteWriter } from "../../base/bytes.ts"
import type { ColumnType } from "../../batch/type.ts"
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts"
import { heldValue, readValue, writeValue } from "./value-bytes.ts"

/** A function of a program. */
type UserFunction = (...given: never[]) => unknown

/** What an aggregate of a program's own is made of. Each function is also given the job's parameters, as its last argument. */
export interface CustomFunctions {
  readonly state: ColumnType
  readonly type: ColumnType
  /** Gives the state of no record. Without it the first record is the state: the input is of its type. */
  readonly init?: UserFunction | undefined
  /** Gives the state with one more record: `add(state, record)`. */
  readonly add: UserFunction
  /** Gives the state of both: `merge(earlier, later)`. */
  readonly merge: UserFunction
  /** Gives the result: `result(state)`. Without it the state is the result. */
  readonly result?: UserFunction | undefined
  /** Gives the state without a part of it: `inverse(whole, part)`. */
  readonly inverse?: UserFunction | undefined
}

/** A state; an error; or `undefined`, where there was no record. */
type Held = { readonly state: unknown } | Broken | undefined

/** Why there is no state. */
class Broken {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

const [EMPTY, STATE, BROKEN] = [0, 1, 2] as const

/** The definition of an aggregate of a program's own, in a job with these parameters. */
export function custom(functions: CustomFunctions, params: Readonly<Record<string, unknown>>): AccumulatorDefinition {
  return {
    resultType: (input) => (input === undefined ? undefined : functions.type),
    accumulator: () => new CustomAccumulator(functions, params),
  }
}

class CustomAccumulator implements Accumulator<Held> {
  readonly mayRefuse = true
  readonly #functions: CustomFunctions
  readonly #params: Readonly<Record<string, unknown>>
  readonly remove?: (whole: Held, part: Held) => Held

  constructor(functions: CustomFunctions, params: Readonly<Record<string, unknown>>) {
    this.#functions = functions
    this.#params = params
    const { inverse } = functions
    if (inverse !== undefined) {
      this.remove = (whole, part) => this.#combined("inverse", inverse, whole, part) ?? whole
    }
  }

  init(): Held {
    const { init } = this.#functions
    if (init === undefined) return undefined
    return unlessBroken(() => this.#state("init", this.#call(init)))
  }

  add(partial: Held, value: unknown): Held {
    if (partial instanceof Broken) return partial
    if (partial === undefined) return this.#state("add", value)
    return this.#state("add", this.#call(this.#functions.add, partial.state, value))
  }

  merge(earlier: Held, later: Held): Held {
    return this.#combined("merge", this.#functions.merge, earlier, later) ?? earlier ?? later
  }

  /** What a function makes of two states; an error where one of them is; `undefined` where one of them is missing. */
  #combined(name: string, combine: UserFunction, one: Held, other: Held): Held {
    if (one instanceof Broken) return one
    if (other instanceof Broken) return other
    if (one === undefined || other === undefined) return undefined
    return unlessBroken(() => this.#state(name, this.#call(combine, one.state, other.state)))
  }

  result(partial: Held): unknown {
    if (partial instanceof Broken) throw new TypeError(partial.message)
    if (partial === undefined) return null
    const { result, type } = this.#functions
    return checked("result", type, result === undefined ? partial.state : this.#call(result, partial.state))
  }

  write(partial: Held, out: ByteWriter): void {
    if (partial === undefined) out.uint8(EMPTY)
    else if (partial instanceof Broken) {
      out.uint8(BROKEN)
      out.text(partial.message)
    } else {
      out.uint8(STATE)
      writeValue(this.#functions.state, partial.state, out)
    }
  }

  read(from: ByteReader): Held {
    const kind = from.uint8()
    if (kind === EMPTY) return undefined
    if (kind === BROKEN) return new Broken(from.text())
    if (kind !== STATE) throw new RangeError(`a partial result begins with ${kind}`)
    return { state: readValue(this.#functions.state, from) }
  }

  #call(called: UserFunction, ...given: readonly unknown[]): unknown {
    return (called as (...given: unknown[]) => unknown)(...given, this.#params)
  }

  #state(name: string, value: unknown): Held {
    return { state: checked(name, this.#functions.state, value) }
  }
}

/** The value as a column of the type holds it. */
function checked(name: string, type: ColumnType, value: unknown): unknown {
  const problem = value === undefined ? "undefined" : type.check(value)
  if (problem !== undefined) {
    throw new TypeError(`What ${name}(...) of the aggregate gives is ${problem}, and it is declared as ${type.label}.`)
  }
  return heldValue(type, value)
}

/** What a function gives, or the error that it throws. */
function unlessBroken(make: () => Held): Held {
  try {
    return make()
  } catch (error) {
    return new Broken(error instanceof Error ? error.message : String(error))
  }
}

/**
 * Lambdas as users write them: what each tool makes of this file must give the same rows, and be compiled where the form
 * is understood.
 *
 * The file imports nothing but types, so that each tool's output stands alone.
 */
import type { Trip, TripParams } from "../src/expr/lambda.fixture.ts"

type Predicate = (row: Trip, params: TripParams) => unknown
type Projection = (row: Trip, params: TripParams) => { net: number; label: string }

const LIMIT: number = 10
const AIRPORT = "JFK"
const BIG = 5n
let calls = 0

const atLeast = (least: number, unit = 1): Predicate => {
  return (row) => row.fare >= least * unit
}

/** They compile, whoever has rewritten them. */
export const compiledPredicates: Readonly<Record<string, Predicate>> = {
  comparison: (r) => r.fare > 0,
  params: (r, p) => r.fare > 0 && r.fare < p.maxFare,
  nullable: (r) => (r.tip ?? 0) > 1 || r.note === null,
  chain: (r) => r.driver.home?.city === "Rome" && !r.isShared,
  destructured: ({ fare, tip, driver: { age } }) => fare + (tip ?? age ?? 0) > 10,
  statements: (r) => {
    const net = r.fare - (r.tip ?? 0)
    return net > 0 ? net < 1e6 : true
  },
  early: (r) => {
    if (r.car === null) return false
    return r.car.doors >= 4
  },
  bigint: (r) => r.parent !== null && r.parent + 1n > 5n,
  // eslint-disable-next-line object-shorthand -- a function expression is what is meant
  expression: function (r) {
    return r.zone !== "" && r.zone.length < 1_000_000
  },
  globals: (r) => r.fare < Infinity && Math.max(r.fare, 1) >= 1 && r.note !== undefined,
  template: (r) => (`${r.zone}-${r.kind}` === "JFK-taxi") satisfies boolean,
  cast: (r) => Number.isFinite(r.fare) as boolean,
  powers: (r) => (r.tip !== null && r.tip ** 2 > 1) || r.car?.plate?.startsWith("X") === true,
  regex: (r) => /^[a-z]f?k$/i.test(r.zone) || /"|'|`|\/|\u2028/.test(r.note ?? ""),
  replacement: (r) => r.zone.replace(/J|F/g, "<$&>").replaceAll("K", "k") === "<J><F>k",
  hour: (r) => new Date(r.at / 1000).getUTCHours() >= 20,
  texts: (r) => r.zone.trim().padStart(4, "_").toLowerCase() === "_jfk" && r.fare.toFixed(1) === "12.5",
  sure: (r) => r.note!.length > 1,
  surer: (r) => r.car!.plate!.length + r.car!.doors > 1,
  division: (r) => 12n / r.parent! > BIG - 4n,
  limit: (r) => r.fare > LIMIT && r.zone === AIRPORT,
  atLeast: atLeast(100, 2),
  minusZero: (r) => 1 / r.fare === -Infinity,
  nothing: () => undefined,
}

/** The closures run, whoever has rewritten them. */
export const closurePredicates: Readonly<Record<string, Predicate>> = {
  counting: (r) => r.fare > ++calls - calls,
  helper: (r) => isLarge(r.fare),
  loop: (r) => {
    let sum = 0
    for (let index = 0; index < r.riders; index++) sum += index
    return sum === 0
  },
  wholeRow: (r) => Object.keys(r).length > 3,
  reassigned: (r) => r.fare > calls - calls,
  thrower: (r) => {
    if (r.isPaid) throw new Error("paid")
    return true
  },
}

/** They compile, too. */
export const compiledProjections: Readonly<Record<string, Projection>> = {
  object: (r) => ({ net: r.fare - (r.tip ?? 0), label: `${r.zone}!` }),
  destructured: (r) => {
    const { fare, zone } = r
    return { net: fare, label: zone }
  },
  choice: (r) => (r.isPaid ? { net: r.fare, label: "paid" } : { net: 0, label: r.note ?? "none" }),
  rounded: (r, p) => {
    const net = Math.round(r.fare) % p.maxFare
    return { net, label: r.kind }
  },
  captured: (r) => ({ net: r.riders * LIMIT, label: AIRPORT + r.zone.replace(/[A-Z]/, "") }),
  sure: (r) => ({ net: r.car!.doors, label: r.car!.plate! }),
}

function isLarge(fare: number): boolean {
  calls++
  return fare > LIMIT
}

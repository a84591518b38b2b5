import { describe, expect, it } from "vitest"
import { batchOf, CLOSURES, formOf, lambdaOf, select, TRIP, TRIPS, TRUSTING } from "./lambda.fixture.ts"

const WHOLE = "a whole number"
const WRITTEN = "that is written out"
const WRITE_IT = "Write what it does in the function itself."
const KEEP_OR_PASS =
  "Make it a const of the same file that holds a number, a text or the like, or pass it as a parameter of the job: (row, params) => row.fare < params.maxFare."
const ASK = "Ask whether it matches: /a+/.test(row.zone)."
const TEST_FOR_NULL = "Test for null before it, or write ?. instead of !."
const THROWN_AWAY = "It throws a value away, the evaluation of which may throw."
const BIGINT_OR_NULL = '"*" of a bigint or null and a number throws where it mixes a bigint with another kind.'

/** Lambdas of the subset, with the IR that they become. */
const COMPILED: readonly (readonly [text: string, ir: string])[] = [
  ["(r) => r.tags === null || !r.tags", "((row.tags:list? === null) || (! row.tags:list?))"],
  ["(r) => r.fare > 0", "(row.fare:float64 > 0)"],
  ["r => r.fare", "row.fare:float64"],
  ["function (r) { return r.fare }", "row.fare:float64"],
  ["function named(r) { 'use strict'; return r.fare }", "row.fare:float64"],
  ["() => true", "true"],
  [
    "(r, p) => r.fare < p.maxFare && r.zone !== p.zone",
    "((row.fare:float64 < params.maxFare:float64) && (row.zone:string !== params.zone:string))",
  ],
  [
    "({ fare, tip: extra = 0 }, { maxFare }) => fare + extra < maxFare",
    "((row.fare:float64 + row.tip:float64?) < params.maxFare:float64)",
  ],
  ["({ driver: { name } }) => name", "row.driver.name:string"],
  ["(r) => r['odd name'] + r?.fare", '(row["odd name"]:float64 + row.fare:float64)'],
  ["(r) => !0 && !1 || void 0 || 1 / 0", "((((! 0) && (! 1)) || undefined) || (1 / 0))"],
  ["(r) => (1, r.fare)", "row.fare:float64"],
  ["(r) => (-r.riders) ** 2", "((- row.riders:int32) ** 2)"],
  ["(r) => r.tip ?? 0", "(row.tip:float64? ?? 0)"],
  ["(r) => r.isPaid ? r.zone : r.note", "(row.isPaid:bool ? row.zone:string : row.note:string?)"],
  ["(r) => typeof r.tip === 'number'", '((typeof row.tip:float64?) === "number")'],
  ["(r) => `<${r.zone}:${r.id}>`", 'concat("<", row.zone:string, ":", row.id:int64, ">")'],
  ["(r) => `plain`", 'concat("plain")'],
  ["(r) => r.id + 1n > r.id", "((row.id:int64 + 1n) > row.id:int64)"],
  ["(r) => r.id / 2n % -3n", "((row.id:int64 / 2n) % -3n)"],
  [
    "(r) => r.zone.length > 2 && r.zone.startsWith('J')",
    '((row.zone:string.length > 2) && row.zone:string.startsWith("J"))',
  ],
  ["(r) => r.id ** 2n << 3n >> 1n", "(((row.id:int64 ** 2n) << 3n) >> 1n)"],
  ["(r) => r.fare.toFixed(2) + r.riders.toString()", "(row.fare:float64.toFixed(2) + row.riders:int32.toString())"],
  [
    "(r) => r.zone.padStart(9, '.').normalize('NFC').replaceAll('.', '$&-').repeat(2)",
    'row.zone:string.padStart(9, ".").normalize("NFC").replaceAll(".", "$&-").repeat(2)',
  ],
  ["(r) => /^j\\w+k$/i.test(r.zone)", "/^j\\w+k$/i.test(row.zone:string)"],
  ['(r) => /[/"`]|null/gy.test(r.note)', '/[/"`]|null/gy.test(row.note:string?)'],
  ["(r) => r.zone.replace(/[A-J]/g, '<$&>') !== '<J>FK'", '(row.zone:string.replace(/[A-J]/g, "<$&>") !== "<J>FK")'],
  [
    "(r) => r.zone.replaceAll(/f/gi, r.fare).search(/\\d/)",
    "row.zone:string.replaceAll(/f/gi, row.fare:float64).search(/\\d/)",
  ],
  ["(r) => r.note?.replace(/é/y, '')", '((row.note:string? == null) ? undefined : row.note:string?.replace(/é/y, ""))'],
  ["(r) => new Date(r.at / 1000).getUTCHours() > 21", "(getUTCHours((row.at:timestamp / 1000)) > 21)"],
  ["(r) => new Date(r.tip).getTime() === 0", "(getTime(row.tip:float64?) === 0)"],
  ["(r) => Math.abs(r.fare) + Math.PI", "(Math.abs(row.fare:float64) + 3.141592653589793)"],
  [
    "(r) => Number.isNaN(r.fare) || isNaN(r.tip) || r.tip === undefined",
    "((Number.isNaN(row.fare:float64) || isNaN(row.tip:float64?)) || (row.tip:float64? === undefined))",
  ],
  [
    "(r) => String(r.id) + Number(r.zone) + Boolean(r.note)",
    "((String(row.id:int64) + Number(row.zone:string)) + Boolean(row.note:string?))",
  ],
  ["(r) => r.car?.doors", "((row.car:object? == null) ? undefined : row.car.doors:int32)"],
  [
    "(r) => r.driver.home?.city.length",
    "((row.driver.home:object? == null) ? undefined : row.driver.home.city:string.length)",
  ],
  ["(r) => r.car && r.car.doors", "(row.car:object? && row.car.doors:int32)"],
  ["(r) => r.car === null || r.car.doors", "((row.car:object? === null) || row.car.doors:int32)"],
  ["(r) => !r.car ? 0 : r.car.doors", "((! row.car:object?) ? 0 : row.car.doors:int32)"],
  ["(r) => r.parent !== null ? r.parent + 1n : 0n", "((row.parent:int64? !== null) ? (row.parent:int64? + 1n) : 0n)"],
  ["(r) => null != r.note && r.note.length", "((null != row.note:string?) && row.note:string?.length)"],
  [
    "(r) => { const plate = r.car?.plate; if (!plate) return 0; return plate.length }",
    "t0 = ((row.car:object? == null) ? undefined : row.car.plate:string?)\n((! t0) ? 0 : t0.length)",
  ],
  [
    "(r) => { const plate = r.car?.plate; return plate !== undefined && plate !== null && plate.length }",
    "t0 = ((row.car:object? == null) ? undefined : row.car.plate:string?)\n(((t0 !== undefined) && (t0 !== null)) && t0.length)",
  ],
  [
    "(r) => r.car?.plate != null && r.car.plate.length > r.car.doors",
    "((((row.car:object? == null) ? undefined : row.car.plate:string?) != null) && (row.car.plate:string?.length > row.car.doors:int32))",
  ],
  [
    "(r) => (r.isPaid ? r.note : false) && r.isPaid",
    "((row.isPaid:bool ? row.note:string? : false) && row.isPaid:bool)",
  ],
  [
    "(r) => { const n = r.isPaid ? r.parent : null; return n === null ? 0n : n + 1n }",
    "t0 = (row.isPaid:bool ? row.parent:int64? : null)\n((t0 === null) ? 0n : (t0 + 1n))",
  ],
  [
    "(r) => { const s = r.note ?? r.car?.plate; return s?.trim().length }",
    "t0 = (row.note:string? ?? ((row.car:object? == null) ? undefined : row.car.plate:string?))\n((t0 == null) ? undefined : t0.trim().length)",
  ],
  [
    "(r) => { const plate = r.car?.plate; return plate != null && r.car.doors > 1 }",
    "t0 = ((row.car:object? == null) ? undefined : row.car.plate:string?)\n((t0 != null) && (row.car.doors:int32 > 1))",
  ],
  ["(r) => r.driver ? r.fare : 0", "(row.driver:object ? row.fare:float64 : 0)"],
  ["(r) => !r.driver || !r.car", "((! row.driver:object) || (! row.car:object?))"],
  ["(r) => (r.parent || 0n) + 1n", "((row.parent:int64? || 0n) + 1n)"],
  ["(r) => { return r.fare }", "row.fare:float64"],
  ["(r) => { }", "undefined"],
  ["(r) => { return }", "undefined"],
  ["(r) => { const { fare, driver: { age } } = r; return fare + age }", "(row.fare:float64 + row.driver.age:int32?)"],
  ["(r) => { const d = r.driver, x = r; return d.age + x.fare }", "(row.driver.age:int32? + row.fare:float64)"],
  [
    "(r) => { const net = r.fare * 2; let b = net + 1; return b * b }",
    "t0 = (row.fare:float64 * 2)\nt1 = (t0 + 1)\n(t1 * t1)",
  ],
  [
    "(r) => { if (r.car === null) return 0; const n = r.car.doors + 1; return n * n }",
    "((row.car:object? === null) ? 0 : ((row.car.doors:int32 + 1) * (row.car.doors:int32 + 1)))",
  ],
  ["(r) => { if (r.isPaid) { return 1 } else return 2 }", "(row.isPaid:bool ? 1 : 2)"],
  [
    "(r) => { if (r.isPaid) return 1; else if (r.fare) { return 2 } else { return 3 } }",
    "(row.isPaid:bool ? 1 : (row.fare:float64 ? 2 : 3))",
  ],
  [
    "(r) => { var _a; return (_a = r.tip) !== null && _a !== void 0 ? _a : 0 }",
    "(((row.tip:float64? !== null) && (row.tip:float64? !== undefined)) ? row.tip:float64? : 0)",
  ],
  [
    "(r) => { var _a, _b; return (_b = (_a = r.car) == null ? void 0 : _a.plate) != null ? _b : '' }",
    '((((row.car:object? == null) ? undefined : row.car.plate:string?) != null) ? ((row.car:object? == null) ? undefined : row.car.plate:string?) : "")',
  ],
  ["(r) => { let x; x = r.fare; x = x + 1; return x }", "(row.fare:float64 + 1)"],
  ["(Math) => Math.fare", "row.fare:float64"],
  ["(r) => { const Math = r.driver; return Math.age }", "row.driver.age:int32?"],
  ["function undefined(r) { return r.fare }", "row.fare:float64"],
]

/** Lambdas that may throw, with the IR that they become: what throws stands behind guards. */
const GUARDED: readonly (readonly [text: string, ir: string])[] = [
  ["(r) => r.note.length", "guard((row.note:string? != null), row.note:string?.length)"],
  ["(r) => r.note.trim() || 1", "(guard((row.note:string? != null), row.note:string?.trim()) || 1)"],
  ["(r) => r.car.doors > 3", "(guard((row.car:object? != null), row.car.doors:int32) > 3)"],
  ["(r) => -r.car.doors < 0", "((- guard((row.car:object? != null), row.car.doors:int32)) < 0)"],
  [
    "(r) => r.car !== undefined && r.car.doors",
    "((row.car:object? !== undefined) && guard((row.car:object? != null), row.car.doors:int32))",
  ],
  ["(r) => r.car || r.car.doors", "(row.car:object? || guard((row.car:object? != null), row.car.doors:int32))"],
  [
    "(r) => r.car.plate.length > 1 && r.car.doors",
    "((guard((row.car:object? != null), guard((row.car.plate:string? != null), row.car.plate:string?.length)) > 1) && guard((row.car:object? != null), row.car.doors:int32))",
  ],
  [
    "(r) => r.car.doors && r.car.plate",
    "(guard((row.car:object? != null), row.car.doors:int32) && row.car.plate:string?)",
  ],
  [
    "(r) => (r.car.plate)?.length ?? 0",
    "(((guard((row.car:object? != null), row.car.plate:string?) == null) ? undefined : guard((row.car:object? != null), row.car.plate:string?.length)) ?? 0)",
  ],
  [
    "(r) => (r.car?.plate).length",
    "guard((((row.car:object? == null) ? undefined : row.car.plate:string?) != null), ((row.car:object? == null) ? undefined : row.car.plate:string?).length)",
  ],
  [
    "(r) => { const plate = r.car?.plate; return plate !== null && plate.length }",
    "t0 = ((row.car:object? == null) ? undefined : row.car.plate:string?)\n((t0 !== null) && guard((t0 != null), t0.length))",
  ],
  [
    "(r) => (r.isPaid ? null : r.note) !== undefined && r.note.length",
    "(((row.isPaid:bool ? null : row.note:string?) !== undefined) && guard((row.note:string? != null), row.note:string?.length))",
  ],
  ...[
    ["(r) => (r.isPaid || r.note) && r.note.length", "((row.isPaid:bool || row.note:string?) && NOTE)"],
    ["(r) => !(r.isPaid && r.note) && r.note.length", "((! (row.isPaid:bool && row.note:string?)) && NOTE)"],
    [
      "(r) => (r.note === null && r.isPaid) || r.note.length",
      "(((row.note:string? === null) && row.isPaid:bool) || NOTE)",
    ],
    ["(r) => (r.isPaid ? r.note : 1) && r.note.length", "((row.isPaid:bool ? row.note:string? : 1) && NOTE)"],
    [
      "(r) => { if (r.isPaid) return r.note && 1; return r.note.length }",
      "(row.isPaid:bool ? (row.note:string? && 1) : NOTE)",
    ],
  ].map(
    ([text, ir]) => [text!, ir!.replace("NOTE", "guard((row.note:string? != null), row.note:string?.length)")] as const,
  ),
  [
    "(r) => { const n = r.note.length; return n > 1 || r.isPaid }",
    "t0 = guard((row.note:string? != null), row.note:string?.length)\n((t0 > 1) || row.isPaid:bool)",
  ],
  ["(r) => r.tip !== r.car.doors", "(row.tip:float64? !== guard((row.car:object? != null), row.car.doors:int32))"],
  ["(r) => r.parent * 2n > 1n", "(guard((row.parent:int64? != null), (row.parent:int64? * 2n)) > 1n)"],
  ["(r) => r.id / r.id", "guard((row.id:int64 !== 0n), (row.id:int64 / row.id:int64))"],
  [
    "(r) => 7n % r.parent",
    "guard((row.parent:int64? != null), guard((row.parent:int64? !== 0n), (7n % row.parent:int64?)))",
  ],
  ["(r) => r.id % 0n", "guard((0n !== 0n), (row.id:int64 % 0n))"],
  ["(r) => 2n ** (r.id & 7n)", "guard(((row.id:int64 & 7n) >= 0n), (2n ** (row.id:int64 & 7n)))"],
  ["(r) => 2n ** (r.id | -8n)", "guard(((row.id:int64 | -8n) >= 0n), (2n ** (row.id:int64 | -8n)))"],
]

/** Lambdas outside of the subset, with what `explain` says of them. */
const REFUSED: readonly (readonly [text: string, reason: string, hint?: string])[] = [
  ["(r) => limit > r.fare", 'It uses "limit" from outside of the function.', KEEP_OR_PASS],
  ["(r) => helper(r.fare)", "It calls helper, which is not compiled.", WRITE_IT],
  ["(r) => (0, mod.helper)(r.fare)", "It calls mod.helper, which is not compiled.", WRITE_IT],
  ["(r) => JSON.stringify(r.fare)", "It calls JSON.stringify, which is not compiled.", WRITE_IT],
  ["(r) => Math.random() < 0.5", "It calls Math.random, which gives other results each time the job runs."],
  ["(r) => Math.sumPrecise(r.fare)", "It calls Math.sumPrecise, which is not compiled.", WRITE_IT],
  ["(r) => [Math][0]", "It uses an array, which is not compiled."],
  ["(r) => Math", 'It uses "Math" as a value, which is not compiled.'],
  ["(r) => Math.abs", 'It uses "Math.abs" as a value, which is not compiled.'],
  ["(r) => Math?.abs(r.fare)", "It calls Math?.abs, which is not compiled.", WRITE_IT],
  ["(r) => Math.abs?.(r.fare)", "It calls Math.abs, which is not compiled.", WRITE_IT],
  ["(r) => Math.max(...r.fare)", 'It uses "..." in a call, which is not compiled.'],
  ["(r) => Math.abs(r.id)", "It gives Math.abs what may be a bigint, for which it is not compiled."],
  ["(r) => parseInt('1', r.id)", "It gives parseInt what may be a bigint, for which it is not compiled."],
  ["(r) => r.zone.startsWith(r.id)", "It gives startsWith what may be a bigint, for which it is not compiled."],
  ["(r) => (r.car ?? r.car)?.plate", 'It reads "plate" of an object, which is not compiled.'],
  ["(r) => (r.car || 1) + 1", 'It uses an object as a whole with "+".', "Read the object's fields by name."],
  ["(r) => (r.isPaid && r.car) + 1", 'It uses an object as a whole with "+".', "Read the object's fields by name."],
  ["(r) => r.fare.x", 'It reads "x" of a number, which is not compiled.'],
  ["(r) => r.zone[0]", 'It reads "0" of a string, which is not compiled.'],
  ["(r) => r.tags.length", 'It reads "length" of a list, which is not compiled.'],
  ["(r) => r.tags[0] === 'a'", 'It reads "0" of a list, which is not compiled.'],
  ["(r) => r.tags.includes('a')", "It calls r.tags.includes, which is not compiled.", WRITE_IT],
  [
    "(r) => r.payload.kind === 'a'",
    'It reads "payload", which may hold any JSON.',
    "Declare what lambdas read of it, as t.object({ ... }).",
  ],
  [
    "(r) => r.payload === null",
    'It reads "payload", which may hold any JSON.',
    "Declare what lambdas read of it, as t.object({ ... }).",
  ],
  ["(r) => r.nope", 'It reads "nope", which is not a column of its rows.'],
  ["(r) => r.driver.nope", 'It reads "nope", which is not a field of that object.'],
  ["(r) => r.toString()", "It uses the row as a whole.", "Read the columns that it needs by name: row.fare."],
  ["(r) => r.__proto__", 'It reads "__proto__", which is not a column of its rows.'],
  ["(r, p) => p.nope", 'The job has no parameter "nope".'],
  ["(r) => r[r.zone]", "It reads a field whose name is computed."],
  ["(r) => r", "It uses the row as a whole.", "Read the columns that it needs by name: row.fare."],
  ["(r) => helper(r)", "It calls helper, which is not compiled.", WRITE_IT],
  ["(r) => Number(r)", "It uses the row as a whole.", "Read the columns that it needs by name: row.fare."],
  ["(r, p) => !p", "It uses the parameters as a whole.", "Read them by name: params.maxFare."],
  ["(r) => r.driver + ''", 'It uses an object as a whole with "+".', "Read the object's fields by name."],
  ["(r) => `${r.driver}`", 'It uses an object as a whole with "${…}".', "Read the object's fields by name."],
  ["(r) => r.driver === r.driver", 'It compares an object by "===".', "Compare the object's fields."],
  ["(r) => r.driver < 1", 'It uses an object as a whole with "<".', "Read the object's fields by name."],
  [
    "(r) => r.id + 1",
    '"+" of a bigint and a number throws where it mixes a bigint with another kind.',
    "Convert the bigint by Number(…).",
  ],
  ["(r) => +r.id", '"+" in front of a bigint throws.', "Use Number(…)."],
  ["(r) => r.id >>> 2n", '">>>" of bigints throws.'],
  ["(r) => 'fare' in r", 'It uses "in", which is not compiled.'],
  ["(r) => r.fare instanceof Object", 'It uses "instanceof", which is not compiled.'],
  ["(r) => delete r.fare", 'It uses "delete", which is not compiled.'],
  ["(r) => r.parent * 2", BIGINT_OR_NULL, "Convert the bigint by Number(…)."],
  ["(r) => r.fare.toFixed(r.riders)", `It calls toFixed with something other than ${WHOLE} from 0 to 100 ${WRITTEN}.`],
  [
    "(r) => r.zone.padStart(r.riders)",
    `It calls padStart with something other than ${WHOLE} from 0 to 1000 ${WRITTEN}.`,
  ],
  ["(r) => r.zone.repeat(1001)", `It calls repeat with something other than ${WHOLE} from 0 to 1000 ${WRITTEN}.`],
  ["(r) => r.zone.repeat()", `It calls repeat with something other than ${WHOLE} from 0 to 1000 ${WRITTEN}.`],
  ["(r) => r.zone.normalize(r.zone)", "It calls normalize with something other than a form that is written out."],
  ["(r) => r.id.toString()", "It calls r.id.toString, which is not compiled.", WRITE_IT],
  ["(r) => null.length", "null is always null."],
  ["(r) => { void r.note.length; return 1 }", THROWN_AWAY, TEST_FOR_NULL],
  ["(r) => { r.note.length; return 1 }", THROWN_AWAY, TEST_FOR_NULL],
  ["(r) => (r.note.length, 1)", THROWN_AWAY, TEST_FOR_NULL],
  ["(r) => { let x; x = r.note.length; return 1 }", THROWN_AWAY, TEST_FOR_NULL],
  ["(r) => void r.note.length", THROWN_AWAY, TEST_FOR_NULL],
  [
    "(r) => { if (r.isPaid) return 1; const x = r.note.length; return 2 }",
    "It gives a name to what may throw, behind a test.",
    TEST_FOR_NULL,
  ],
  ["(r) => ({ a: r.note.length, a: 1 })", "It gives a column twice, the first of which may throw."],
  ["(r) => /a/", "It uses a regular expression as a value.", "Ask it: /a+/.test(row.zone)."],
  ["(r) => /a/.exec(r.zone)", "It calls /a/.exec, which is not compiled.", ASK],
  ["(r) => /a/.test()", "It calls /a/.test, which is not compiled.", WRITE_IT],
  ["(r) => /a/.test(r.driver)", 'It uses an object as a whole with "${…}".', "Read the object's fields by name."],
  ["(r) => /a/.source", "It uses a regular expression as a value.", "Ask it: /a+/.test(row.zone)."],
  ["(r) => r.zone.match(/a/)", "It calls r.zone.match, which is not compiled.", ASK],
  ["(r) => r.zone.replace(/a/)", "It calls r.zone.replace, which is not compiled.", WRITE_IT],
  ["(r) => r.zone.replace(/a/, () => '')", "It uses a function within the function, which is not compiled."],
  [
    "(r) => r.zone.replaceAll(/a/, 'b')",
    "It calls replaceAll with a regular expression without the flag g, which throws.",
  ],
  ["(r) => r.zone.startsWith(/a/)", "It uses a regular expression as a value.", "Ask it: /a+/.test(row.zone)."],
  ["(r) => new Date(r.at)", 'It uses "new", which is not compiled.'],
  ["(r) => new Date().getUTCHours()", "It reads the clock, which gives other results each time the job runs."],
  ["(r) => new Date(1, 2).getUTCHours()", "It makes a Date of a local time, which depends on the machine."],
  ["(r) => new Map(r.at).getUTCHours()", 'It uses "new", which is not compiled.'],
  ["(Date) => new Date(1).getUTCHours()", 'It uses "new", which is not compiled.'],
  ["(r) => new Date(r.at).toISOString()", "It calls toISOString of a Date, which is not compiled."],
  ["(r) => new Date(r.at).constructor()", "It calls constructor of a Date, which is not compiled."],
  ["(r) => new Date(r.at).getUTCHours(1)", "It calls new Date(r.at).getUTCHours, which is not compiled.", WRITE_IT],
  [
    "(r) => new Date(r.at).getHours()",
    "It calls getHours, which depends on the time zone of the machine.",
    "Use getUTCHours.",
  ],
  [
    "(r) => new Date(r.zone).getTime()",
    "It makes a Date of text, which may depend on the time zone of the machine.",
    "Make it of milliseconds: new Date(row.at / 1000).",
  ],
  ["(r) => new Date(r.id).getTime()", "It makes a Date of a bigint, which throws.", "Use Number(…)."],
  ["(r) => Date.now()", "It calls Date.now, which is not compiled.", WRITE_IT],
  ["(r) => (() => 1)()", "It calls () => 1, which is not compiled.", WRITE_IT],
  ["(r) => () => 1", "It uses a function within the function, which is not compiled."],
  ["(r) => ({}) && 1", "It uses an object other than its result, which is not compiled."],
  ["(r) => String.raw`x`", "It uses a tagged template, which is not compiled."],
  ["(r) => this.limit", 'It uses "this", which is not compiled.'],
  ["function (r) { return arguments[0].fare }", 'It uses "arguments" from outside of the function.', KEEP_OR_PASS],
  ["(r) => r.fare++", 'It uses "++" or "--", which is not compiled.'],
  ["(r) => r.fare = 1", "It changes something other than its own variables."],
  ["(r) => { let x = 1; x += r.fare; return x }", 'It uses "+=", which is not compiled.'],
  ["(r) => { const x = 1; return (x = r.fare) }", 'It assigns to "x".'],
  ["(r) => (outer = r.fare)", 'It assigns to "outer".'],
  ["(r) => (r = 1)", 'It assigns to "r".'],
  ["(r) => { let x = 0; return r.isPaid && (x = 1), x }", 'It reads "x", which has no certain value at that point.'],
  [
    "(r) => { let x = 0; const y = r.isPaid ? (x = 1) : (x = 2); return x + y }",
    'It reads "x", which has no certain value at that point.',
  ],
  ["(r) => { let x; return r.isPaid && (x = 1), x }", 'It reads "x", which has no certain value at that point.'],
  [
    "(r) => { let x; return r.note?.startsWith(x = 'a'), x }",
    'It reads "x", which has no certain value at that point.',
  ],
  ["(r) => { const a = b, b = 1; return a }", 'It reads "b", which has no certain value at that point.'],
  ["(r) => { var x = 1; { var x = 2 } return x }", 'It declares "x" twice.'],
  [
    "(r) => { if (r.isPaid) { const Math = 1; return Math } return Math }",
    'It reads "Math", which has no certain value at that point.',
  ],
  [
    "(r) => { return Math.abs(r.fare); function Math() {} }",
    "It has a statement (FunctionDeclaration) other than const, if and return.",
  ],
  [
    "(r) => { return Math.abs(r.fare); for (var Math; ; ) {} }",
    "It has a statement (ForStatement) other than const, if and return.",
  ],
  ["(r) => { return Math.abs(r.fare); var Math }", 'It reads "Math", which has no certain value at that point.'],
  ["function Math(r) { return Math.abs(r.fare) }", 'It reads "Math", which has no certain value at that point.'],
  [
    "(r) => { if (r.isPaid) r.fare; return 1 }",
    'It has an "if" without a return.',
    "Use a conditional expression: test ? a : b.",
  ],
  ["(r) => { { r.fare } return 1 }", "It has a block without a return."],
  ["(r) => { while (true) return 1 }", "It has a statement (WhileStatement) other than const, if and return."],
  ["(r) => { throw 1 }", "It has a statement (ThrowStatement) other than const, if and return."],
  ["(r) => { const { ...rest } = r; return 1 }", 'It uses "..." for the remaining columns.'],
  ["(r) => { const { doors } = r.car; return doors }", "It takes apart what may be null or is not an object."],
  ["({ car: { doors } }) => doors", "It takes apart what may be null or is not an object."],
  ["([first]) => first", "It takes its parameters apart in a way that is not compiled."],
  ["(r = {}) => r.fare", "It takes its parameters apart in a way that is not compiled."],
  ["(...rows) => 1", "It takes its parameters apart in a way that is not compiled."],
  ["({ [1 + 1]: x }) => 1", "It has a property whose name is computed."],
  ["(r, p, x) => 1", "It declares more than a row and parameters."],
  ["async (r) => r.fare", "It is async: it gives a promise and not a value."],
  ["function* (r) { return r.fare }", "It is a generator."],
  ["(r) => import('x')", 'It uses "import", which is not compiled.'],
  ["(r) => (cov_1a2b().s[0]++, r.fare)", "It counts its coverage, which only the closure does."],
  [
    "(r) => { cov_1a2b().f[0]++; cov_1a2b().s[0]++; return r.fare > 0 }",
    "It counts its coverage, which only the closure does.",
  ],
  ["(r) => { const a = r.fare + r.fare, b = a; return b = 2 }", 'It assigns to "b".'],
]

describe("lowering", () => {
  it.each([...COMPILED, ...GUARDED])("compiles %s", (text, ir) => {
    expect(formOf(lambdaOf(text))).toMatchObject({ kind: "compiled", ir })
  })

  it.each(COMPILED.map(([text]) => text))("Z1 and gives what the closure gives: %s", (text) => {
    const compiled = select(lambdaOf(text), TRUSTING)
    const closure = select(lambdaOf(text), CLOSURES)
    expect({ ...compiled, form: undefined }).toEqual({ ...closure, form: undefined })
    expect(closure.failures).toEqual([])
  })

  it.each(GUARDED.map(([text]) => text))("G4 and throws for the rows for which the closure throws: %s", (text) => {
    const [compiled, closure] = [TRUSTING, CLOSURES].map((options) => select(lambdaOf(text), options))
    expect({ ...compiled, form: undefined }).toEqual({ ...closure, form: undefined })
    // A batch in which no row throws is answered by the kernel itself, so each row is looked at alone.
    for (const row of [...TRIPS, { ...TRIPS[1]!, id: 3n }, { ...TRIPS[0]!, note: "x" }]) {
      const [own, twin] = [TRUSTING, CLOSURES].map((options) => select(lambdaOf(text), options, batchOf(TRIP, [row])))
      expect({ ...own, form: undefined }).toEqual({ ...twin, form: undefined })
    }
  })

  it.each(REFUSED.map(([text, reason, hint]) => ({ text, reason, hint })))(
    "Z1 refuses $text",
    ({ text, reason, hint }) => {
      expect(formOf(lambdaOf(text))).toEqual({ kind: "closure", reason, hint })
    },
  )

  it("refuses what grows beyond measure", () => {
    const doubling = Array.from({ length: 14 }, (_, index) => `x = x + x + ${index}`).join("; ")
    expect(formOf(lambdaOf(`(r) => { let x = r.fare; ${doubling}; return x }`))).toMatchObject({
      reason: "It is too large to be compiled.",
    })
    expect(formOf(lambdaOf(`(r) => ${"!".repeat(9000)}r.fare`))).toMatchObject({ kind: "closure" })
    expect(formOf(lambdaOf(`(r) => r.fare > 0 ${" ".repeat(20_000)}`))).toMatchObject({ kind: "compiled" })
    expect(formOf(lambdaOf(`(r) => r.fare ${" ".repeat(20_000)} > 0`))).toMatchObject({
      reason: "Its source text is too long to be compiled.",
    })
  })
})

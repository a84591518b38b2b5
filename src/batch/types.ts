/** `t`: the column types that a schema is made of. Each is one file in `types/`. */
import { binaryType } from "./types/binary.ts"
import { boolType } from "./types/bool.ts"
import { dateType } from "./types/date.ts"
import { durationType } from "./types/duration.ts"
import { enumType } from "./types/enum.ts"
import { float32Type } from "./types/float32.ts"
import { float64Type } from "./types/float64.ts"
import { int16Type } from "./types/int16.ts"
import { int32Type } from "./types/int32.ts"
import { int53Type } from "./types/int53.ts"
import { int64Type } from "./types/int64.ts"
import { int8Type } from "./types/int8.ts"
import { jsonType } from "./types/json.ts"
import { listType } from "./types/list.ts"
import { objectType } from "./types/object.ts"
import { secretType } from "./types/secret.ts"
import { stringType } from "./types/string.ts"
import { timestampType } from "./types/timestamp.ts"
import { uint16Type } from "./types/uint16.ts"
import { uint32Type } from "./types/uint32.ts"
import { uint64Type } from "./types/uint64.ts"
import { uint8Type } from "./types/uint8.ts"

/**
 * The column types. Each also has `.nullable()`, `.required()`, `.from(sourceName)` and `.default(value)`.
 *
 * How each reads and writes as CSV and JSON stands in `docs/spec/types.md`.
 *
 * @example
 * ```ts
 * import { schema, t } from "tidemark"
 *
 * const Payment = schema({
 *   at: t.timestamp({ format: "ms" }),
 *   amountCents: t.int53,
 *   currency: t.enum("EUR", "USD"),
 *   payer: t.object({ id: t.int64, name: t.string.nullable() }),
 *   isTest: t.bool.default(false),
 * })
 * ```
 */
export const t = {
  /** `true` or `false`. */
  bool: boolType,
  /** A whole number from −128 to 127, in lambdas a number. */
  int8: int8Type,
  /** A whole number from −32,768 to 32,767, in lambdas a number. */
  int16: int16Type,
  /** A whole number from −2³¹ to 2³¹ − 1, in lambdas a number. */
  int32: int32Type,
  /** A whole number from −(2⁵³ − 1) to 2⁵³ − 1, in lambdas a number. */
  int53: int53Type,
  /** A whole number from −2⁶³ to 2⁶³ − 1, in lambdas a bigint; JSON carries it as a string of digits. */
  int64: int64Type,
  /** A whole number from 0 to 255, in lambdas a number. */
  uint8: uint8Type,
  /** A whole number from 0 to 65,535, in lambdas a number. */
  uint16: uint16Type,
  /** A whole number from 0 to 2³² − 1, in lambdas a number. */
  uint32: uint32Type,
  /** A whole number from 0 to 2⁶⁴ − 1, in lambdas a bigint; JSON carries it as a string of digits. */
  uint64: uint64Type,
  /** An IEEE 754 single: a JavaScript number that is rounded to one where it is read, or a lambda gives it. */
  float32: float32Type,
  /** An IEEE 754 double: a JavaScript number. */
  float64: float64Type,
  /** Unicode text. */
  string: stringType,
  /**
   * A point in time: microseconds UTC as a branded number. Without options it reads ISO 8601 text with an offset or `Z`.
   *
   * @throws TidemarkError `invalid-schema` where the zone is unknown, or given for a format of numbers.
   */
  timestamp: timestampType,
  /** A date of the calendar: days since 1970-01-01 as a branded number. It reads and writes `2024-03-10`. */
  date: dateType,
  /**
   * A length of time: microseconds as a branded number. Without options it reads ISO 8601 text such as `PT1H30M`.
   *
   * @throws TidemarkError `invalid-schema` where the format is unknown.
   */
  duration: durationType,
  /**
   * One of the texts given.
   *
   * @throws TidemarkError `invalid-schema` where a symbol is empty, stands twice, or is not well-formed Unicode.
   */
  enum: enumType,
  /**
   * Named, typed fields within a row.
   *
   * @throws TidemarkError `invalid-schema` where two fields share a name or a source.
   */
  object: objectType,
  /**
   * Any number of values of one type, in order: in lambdas an array. In a CSV field it is JSON text.
   *
   * @throws TidemarkError `invalid-schema` where the elements are of no type, or of one with a source name or default.
   */
  list: listType,
  /**
   * Any JSON value but null, such as the payload of a webhook. Whole numbers beyond ±(2⁵³ − 1) in plain digits are bigints.
   * In a CSV field it is JSON text.
   */
  json: jsonType,
  /** Bytes: in lambdas a `Uint8Array`, in JSON and CSV base64 text. */
  binary: binaryType,
  /**
   * A text that nobody may see, such as a password: a parameter of a job, and never a column. Its value comes from the environment when the job
   * runs: of `apiToken` from `API_TOKEN`, or from the file that `API_TOKEN_FILE` names; `.from("NAME")` gives it another name. In lambdas it is a string.
   */
  secret: secretType,
} as const

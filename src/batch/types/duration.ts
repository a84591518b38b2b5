/**
 * `duration`: a length of time in whole microseconds, read as ISO 8601 text or as a count of seconds or parts of them.
 *
 * As counts its bytes are those of a timestamp's.
 */
import { nameHint } from "../../base/did-you-mean.ts"
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import { isTimeSpan, OUTSIDE_SPANS, parseSpan, spanText, type TimeSpan } from "../../time/time-span.ts"
import { ColumnType, Invalid, type TypeDefinition } from "../type.ts"
import { FORMATS, timestampType, type TimestampOptions } from "./timestamp.ts"

/** How a duration column reads and writes. */
export interface DurationOptions {
  /** `"iso"` (the default): ISO 8601 text. Otherwise what a number counts: seconds, milli-, micro- or nanoseconds. */
  readonly format?: TimestampOptions["format"]
}

const SHARED: Pick<TypeDefinition<TimeSpan>, "kind" | "storage" | "typeOf" | "range" | "adds" | "check"> = {
  kind: "duration",
  storage: "int64",
  typeOf: "number",
  range: { least: Number.MIN_SAFE_INTEGER, greatest: Number.MAX_SAFE_INTEGER },
  adds: "whole",
  check: (value) => (isTimeSpan(value) ? undefined : "not a length of time: whole microseconds within ±2⁵³"),
}

const ISO: TypeDefinition<TimeSpan> = {
  ...SHARED,
  label: "duration",
  span: { unit: undefined },
  fromText,
  fromJson: (value) =>
    typeof value === "string" ? fromText(value) : new Invalid("not a length of time as ISO 8601 text"),
  toText: spanText,
  toJson: (value) => `"${spanText(value)}"`,
}

function fromText(text: string): TimeSpan | Invalid {
  const span = parseSpan(text)
  return typeof span === "string" ? new Invalid(span) : span
}

/** See `t.duration`. */
export function durationType(options: DurationOptions = {}): ColumnType<TimeSpan, "duration"> {
  checkOptions("t.duration(...)", options, ["format"])
  const { format = "iso" } = options
  if (!FORMATS.includes(format)) {
    throw new TidemarkError("invalid-schema", `A duration has no format ${shownValue(format)}.`, {
      hint: nameHint(String(format), FORMATS, "formats"),
    })
  }
  if (format === "iso") return new ColumnType<TimeSpan, "duration">(ISO)
  const { instant, ...count } = timestampType({ format }).definition as TypeDefinition<TimeSpan>
  const definition: TypeDefinition<TimeSpan> = {
    ...count,
    ...SHARED,
    label: `duration(format="${format}")`,
    span: { unit: instant!.unit },
    fromText: (text) => spanOf(count.fromText(text)),
    fromJson: (value, raw) => spanOf(count.fromJson(value, raw)),
  }
  return new ColumnType<TimeSpan, "duration">(definition)
}

/** What was read as a timestamp; of one that is too great, it is said in other words. */
function spanOf(read: TimeSpan | Invalid): TimeSpan | Invalid {
  return read instanceof Invalid && read.reason.startsWith("outside") ? new Invalid(OUTSIDE_SPANS) : read
}

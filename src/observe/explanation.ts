/** What `explain` says of a job, as plain data: texts, numbers and lists, so that it can be written as JSON. */
import type { SinkGuarantee } from "../connect/sink.ts"
import type { BackEnd } from "../expr/compile.ts"
import type { PlanNode, Port } from "../flow/plan.ts"
import type { PlanWarning } from "../flow/plan-warnings.ts"

/** A named, typed field; types as their labels. */
export interface ExplainedColumn {
  readonly name: string
  readonly type: string
}

/** A parameter; its value as JSON text, where the job is bound. A secret shows none, and its type says which variable has it. */
export interface ExplainedParam extends ExplainedColumn {
  readonly value: string | undefined
}

/** How one lambda of an operator runs. */
export interface ExplainedLambda {
  /** What the operator takes from it: `"predicate"`, `"columns"`, or of a window the aggregate's name. */
  readonly role: string
  /** Its source text. */
  readonly source: string
  /** `"called"`: it is called for each row, and its answer waited for. */
  readonly form: "compiled" | "closure" | "called"
  /** What it is compiled to; of a lambda that gives several columns, some may be the one and some the other. */
  readonly backEnds: readonly BackEnd[]
  /** Whether it is compiled and may throw: where it does, the closure is run again, and its error is reported. */
  readonly mayThrow: boolean
  /** Why it runs as a closure, as a sentence. */
  readonly reason: string | undefined
  /** What to write instead, as a sentence. */
  readonly hint: string | undefined
  /** What it was compiled from: its intermediate form, as text. */
  readonly ir: string | undefined
}

/** A result column of a window. */
export interface ExplainedAggregate extends ExplainedColumn {
  /** What it is, such as `sum("fare")`. */
  readonly text: string
}

/** An input or operator. */
export interface ExplainedNode {
  readonly id: string
  /** Whether the user gave the id, rather than its being derived. */
  readonly isIdGiven: boolean
  readonly kind: PlanNode["kind"]
  readonly isStateful: boolean
  /** The nodes whose rows it takes: none for an input. */
  readonly inputs: readonly { readonly id: string; readonly port: Port }[]
  /** What it does with them, in words; of a bound input where they are read. */
  readonly detail: string | undefined
  /** The columns of what it gives; of an input also how they are read. */
  readonly columns: readonly ExplainedColumn[]
  /** Whether these differ from those of what it takes. */
  readonly changesColumns: boolean
  /** Whether it is a window whose rows may come too late for it: results of other windows never do. */
  readonly mayBeLate: boolean
  /** Why a window runs on plain values, as a clause; `undefined` where kernels run it. */
  readonly runsOnValues: string | undefined
  /** The windows with which it shares slices, so that each record is added once for all. */
  readonly sharesWith: readonly string[]
  /** What a window makes of its rows, beside keys and bounds. */
  readonly aggregates: readonly ExplainedAggregate[]
  readonly lambdas: readonly ExplainedLambda[]
}

/** An output, and where it goes, where the job is bound. */
export interface ExplainedOutput {
  readonly name: string
  readonly from: { readonly id: string; readonly port: Port }
  readonly columns: readonly ExplainedColumn[]
  readonly sink: string | undefined
  readonly guarantee: SinkGuarantee | undefined
}

/** The policies of a bound job. */
export interface ExplainedPolicies {
  /** Where bad records and failed rows go; `undefined`: to the job's own directory. */
  readonly deadLetter: { readonly sink: string; readonly guarantee: SinkGuarantee } | undefined
  /** `undefined`: any number. */
  readonly maxBadRecords: number | undefined
  readonly epoch: { readonly minMicros: number; readonly maxMicros: number }
}

/** A job, explained. */
export interface Explanation {
  readonly job: string
  /** Tells plans apart. */
  readonly fingerprint: string
  readonly params: readonly ExplainedParam[]
  /** In the order of the plan: what feeds a node stands before it. */
  readonly nodes: readonly ExplainedNode[]
  readonly outputs: readonly ExplainedOutput[]
  /** What becomes of a row that fails. */
  readonly onError: "dead-letter" | "stop"
  /** `undefined` where the job is not bound. */
  readonly policies: ExplainedPolicies | undefined
  /** Why its operators run on one thread, as a clause; `undefined` where they may run on several, part by part. */
  readonly oneThreadReason: string | undefined
  readonly warnings: readonly PlanWarning[]
}

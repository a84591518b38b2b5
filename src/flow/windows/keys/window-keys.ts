/** What a window operator asks of its keys: a table of them (`key-table.ts`), or the only one there is (`only-key.ts`). */
import type { KeyTable } from "./key-table.ts"

/** See the head of this file. */
export type WindowKeys = Pick<
  KeyTable,
  "size" | "capacity" | "wordsAddress" | "parts" | "resolve" | "idTable" | "writeState" | "readState" | "release"
> & {
  /** The same keys without those in none of the lists, whose ids become those that they have there. */
  withOnly(idLists: Parameters<KeyTable["withOnly"]>[0]): WindowKeys
}

/**
 * Where the files of a followed input are, at one moment: what matches, under which names those that were begun lie now, and what
 * earlier generations there are beside them.
 *
 * A directory is looked at a name at a time. Who renames files meanwhile can hide one, as it was where nobody looked any more, or let a later
 * one be seen before it. So it is looked until twice the same was seen (the look before counts), and what has just appeared is taken up
 * when it was seen twice.
 *
 * Invariants:
 * - FV1 What a view says of files that were begun, and of generations beside files, held at one moment: unless they were renamed
 *   between any two of twenty looks.
 */
import { posix } from "node:path"
import type { FollowScan, SeenDirectory, SeenFile } from "./follow-scan.ts"
import type { KnownFile } from "./followed-files.ts"

/** Files that are renamed all the time are looked at so often. */
const LOOKS_MAX = 20

/** What is to be looked for. */
export interface Sought {
  /** Files that were begun. */
  readonly known: readonly KnownFile[]
  /** Names of which earlier generations are of interest. */
  readonly names: Iterable<string>
  /** Whether files have no generations. */
  readonly areWhole: boolean
}

/** What was seen, a text for each thing that was looked for. */
type Sights = ReadonlyMap<string, string>

/** See the head of this file. */
export class FollowView {
  /** The files that match, each once, in order. */
  readonly matches: readonly SeenFile[]
  readonly #scan: FollowScan
  readonly #byFileId: ReadonlyMap<string, SeenFile>
  readonly #byId: ReadonlyMap<string, SeenFile>
  readonly #directories = new Map<string, SeenDirectory>()
  readonly #places = new Map<number, SeenFile | undefined>()
  readonly #sights = new Map<string, string>()
  #before: Sights | undefined

  private constructor(scan: FollowScan, matches: readonly SeenFile[]) {
    this.#scan = scan
    this.matches = matches
    this.#byFileId = new Map(matches.map((seen) => [seen.fileId, seen]))
    this.#byId = new Map(matches.map((seen) => [seen.id, seen]))
  }

  /** Looks until twice the same was seen; `last` is what was seen at the look before. */
  static async look(scan: FollowScan, sought: Sought, last: FollowView | undefined): Promise<FollowView> {
    let before = last === undefined ? undefined : last.#sights
    for (let looks = 1; ; looks++) {
      const view = await FollowView.#once(scan, sought)
      view.#before = before
      const isNew = looks === 1 && view.matches.some((seen) => !view.isConfirmed(seen))
      if (sought.areWhole || (!isNew && view.#isAsBefore(sought)) || looks === LOOKS_MAX) return view
      before = view.#sights
    }
  }

  static async #once(scan: FollowScan, { known, names, areWhole }: Sought): Promise<FollowView> {
    const view = new FollowView(scan, await scan.matches())
    const bases = new Set(names)
    for (const { number, id, fileId, role } of known) {
      if (role !== "read") continue
      const seen = view.match(fileId) ?? (await (await view.#directoryOf(id)).find(fileId))
      view.#places.set(number, seen)
      view.#sights.set(`file ${number}`, seen?.id ?? "")
      bases.add(id).add(seen?.id ?? id)
    }
    if (areWhole) return view
    for (const { id } of view.matches) bases.add(id)
    for (const id of bases) view.#sights.set(nameKey(id), await view.#sightOf(id))
    return view
  }

  /** Who bears a name, and who lies beside it as its earlier generation. */
  async #sightOf(id: string): Promise<string> {
    const generations = await this.generationsOf(id)
    const holder = this.#byId.get(id)?.fileId ?? ""
    return [holder, ...generations.map((seen) => `${seen.id} ${seen.fileId}`)].join("\n")
  }

  #isAsBefore({ known, names }: Sought): boolean {
    if ([...this.#directories.values()].some(({ isTorn }) => isTorn)) return false
    const keys = known.filter(({ role }) => role === "read").map(({ number }) => `file ${number}`)
    for (const id of names) keys.push(nameKey(id))
    return keys.every((key) => this.#before?.get(key) === this.#sights.get(key))
  }

  /** Whether a file that matches was seen twice, with the same generations beside it. */
  isConfirmed({ id }: SeenFile): boolean {
    const key = nameKey(id)
    const sight = this.#sights.get(key)
    return sight === undefined || sight === this.#before?.get(key)
  }

  match(fileId: string): SeenFile | undefined {
    return this.#byFileId.get(fileId)
  }

  /** Whether what matches bears this name. */
  hasMatch(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Where a file is that was begun; `undefined` where it is not to be seen. */
  placeOf({ number }: KnownFile): SeenFile | undefined {
    return this.#places.get(number)
  }

  /** Whether the directory of a path was looked at. */
  hasLooked(id: string): boolean {
    return this.#directories.has(posix.dirname(id))
  }

  /** A file of that inode in the directory of a path. */
  async findBeside(id: string, fileId: string): Promise<SeenFile | undefined> {
    return await (await this.#directoryOf(id)).find(fileId)
  }

  /** Earlier generations of a file, the oldest first. */
  async generationsOf(id: string): Promise<readonly SeenFile[]> {
    return await (await this.#directoryOf(id)).generationsOf(id)
  }

  async #directoryOf(id: string): Promise<SeenDirectory> {
    const path = posix.dirname(id)
    let directory = this.#directories.get(path)
    if (directory === undefined) this.#directories.set(path, (directory = await this.#scan.beside(id)))
    return directory
  }
}

function nameKey(id: string): string {
  return `name ${id}`
}

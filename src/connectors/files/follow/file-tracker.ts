/**
 * Keeps track of the files of a followed input: where those that were begun are now, which are new, which have grown, been renamed,
 * cut or removed. It decides what is read next; reading is the cursors' matter, and what was read is in `FollowedFiles`.
 *
 * Invariants:
 * - FT1 A file is read in the order of its number: one that was renamed before the one that took its name, generations that nobody has
 *   seen in between, and files that are new at one look in the order of the scan.
 * - FT2 A file that is begun is read to its end wherever it is renamed to within its directory; while it is open also where it is moved
 *   or removed.
 * - FT3 A file is forgotten when it was missed at three looks, over ten seconds at least, and nothing is left to be read of it.
 * - FT4 Whatever may have been lost is told: a file that was cut, and one that is gone before its end was read.
 */
import { assert } from "../../../base/assert.ts"
import { counted } from "../../../base/counted.ts"
import type { SourceNotice } from "../../../connect/source.ts"
import { posix } from "node:path"
import { fileLabel } from "../source-errors.ts"
import type { FileCursor, FileProgress } from "./file-cursor.ts"
import { basesOf, type FollowScan, type SeenFile } from "./follow-scan.ts"
import { FollowView } from "./follow-view.ts"
import { FINGERPRINT_BYTES, fingerprintOf, type FollowedFiles, type KnownFile } from "./followed-files.ts"

/** So many files are open at once. */
const OPEN_FILES_MAX = 64

/** A file of which nothing has come for so long is closed. */
const QUIET_MICROS = 60_000_000

/** See FT3. */
const MISSED_LOOKS = 3
const MISSED_MICROS = 10_000_000

/** What a tracker is told, and whom it asks. */
export interface TrackerContext {
  readonly input: string
  readonly files: FollowedFiles
  readonly scan: FollowScan
  /** Whether files are there as a whole: they do not grow, and have no generations. */
  readonly areWhole: boolean
  readonly nowMicros: () => number
  /** Opens a file where it is now; `undefined` where it is not there any more. */
  open(known: KnownFile): Promise<FileCursor | undefined>
  /** The first bytes of a file, so many at most; `undefined` where it is not there any more. */
  readonly readHead: (seen: SeenFile, count: number) => Promise<Uint8Array | undefined>
}

/** What this run knows of a file. */
interface Sight {
  cursor: FileCursor | undefined
  /** How far it was tried to read: nothing is left before it. */
  tried: number
  /** As seen last. */
  size: number
  modifiedMicros: number
  isVerified: boolean
  changedMicros: number
  missed: { readonly sinceMicros: number; looks: number } | undefined
  /** Whether it was found cut at an earlier look: what lies beside it since is whole. */
  isCut: boolean
  /** Whether at the last look there lay a copy beside it that is none of what it had by then. */
  isDoubted: boolean
}

/** A file of which there is something to read. */
export interface ReadableFile {
  readonly known: KnownFile
  readonly cursor: FileCursor
  /** How far it may be read. */
  readonly until: number
}

/** So often a look begins anew where files were renamed since they were seen. */
const LOOKS_MAX = 3

/** See the head of this file. */
export class FileTracker {
  readonly #context: TrackerContext
  readonly #sights = new Map<number, Sight>()
  /** By path: the number of the file that was seen there last. */
  readonly #holders = new Map<string, number>()
  readonly #opened = new Set<Sight>()
  /** What is to be read before the next look. */
  #pass: number[] = []
  readonly #notices: SourceNotice[] = []
  readonly #vanished: string[] = []
  #hasToldCompressed = false
  #view: FollowView | undefined
  /** The first file, by its number, that was not where it had been seen: nothing behind it is read before it is found. */
  #awaited = Infinity

  constructor(context: TrackerContext) {
    this.#context = context
    for (const { number, id } of context.files.all) this.#holdBases(id, number)
    for (const { number, id, role } of context.files.all) if (role === "read") this.#holders.set(id, number)
  }

  /** Whether there is something to read that the last look has found. */
  get isReadable(): boolean {
    return this.#pass.length > 0
  }

  get hasNotices(): boolean {
    return this.#notices.length > 0
  }

  takeNotices(): readonly SourceNotice[] {
    return this.#notices.splice(0)
  }

  /** Looks at all files. */
  async look(): Promise<void> {
    const { files, scan, areWhole } = this.#context
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      this.#awaited = Infinity
      const sought = { known: files.all, names: [...this.#holders.keys()], areWhole }
      const view = (this.#view = await FollowView.look(scan, sought, this.#view))
      if (scan.hasCompressed && !this.#hasToldCompressed) this.#tellCompressed()
      await this.#locate(view)
      if (!areWhole) await this.#takeUpBehind(view)
      for (const seen of view.matches) await this.#takeUp(seen, view)
      await this.#plan()
      if (this.#awaited === Infinity) break
    }
    this.#tellVanished()
  }

  /** The next file to read, open, or `undefined` where another look is needed. */
  async next(): Promise<ReadableFile | undefined> {
    for (let number = this.#pass[0]; number !== undefined; number = this.#pass[0]) {
      const known = this.#context.files.get(number)
      const sight = known && this.#sightOf(known)
      if (known !== undefined && sight !== undefined && sight.size > sight.tried) {
        const cursor = await this.#open(known, sight)
        if (cursor !== undefined) return { known, cursor, until: sight.size }
      }
      this.#pass.shift()
    }
    return undefined
  }

  /** Takes note of how far a file was read; `undefined` where nothing is left of it before where it may be read to. */
  took({ known, until, cursor }: ReadableFile, progress: FileProgress | undefined): void {
    const { isAtEnd } = this.#context.files.update(known.number, progress ?? { isAtEnd: cursor.partialBytes === 0 })
    if (progress !== undefined && !isAtEnd) return
    const sight = this.#sightOf(known)
    sight.tried = until
    // It may have been cut meanwhile: it is looked at more closely, however alike it is.
    if (progress === undefined) sight.modifiedMicros = -1
    this.#pass.shift()
  }

  async close(): Promise<void> {
    for (const sight of [...this.#opened]) await this.#close(sight)
  }

  #sightOf(known: KnownFile): Sight {
    let sight = this.#sights.get(known.number)
    if (sight === undefined) {
      const changedMicros = this.#context.nowMicros()
      const tried = this.#context.areWhole ? -1 : known.offset
      sight = {
        cursor: undefined,
        tried,
        size: -1,
        modifiedMicros: -1,
        isVerified: false,
        changedMicros,
        missed: undefined,
        isCut: false,
        isDoubted: false,
      }
      this.#sights.set(known.number, sight)
    }
    return sight
  }

  async #open(known: KnownFile, sight: Sight): Promise<FileCursor | undefined> {
    if (sight.cursor !== undefined) return sight.cursor
    await this.#makeRoom()
    sight.cursor = await this.#context.open(known)
    if (sight.cursor !== undefined) this.#opened.add(sight)
    return sight.cursor
  }

  /** Finds the files that were begun. */
  async #locate(view: FollowView): Promise<void> {
    for (const known of this.#context.files.all) {
      if (known.role === "earlier") await this.#checkEarlier(known, view)
      else {
        const seen = view.placeOf(known)
        if (seen === undefined) await this.#miss(known)
        else await this.#found(known, seen, view)
      }
    }
  }

  /** A file that is passed over: gone, or another one has its inode by now. */
  async #checkEarlier(known: KnownFile, view: FollowView): Promise<void> {
    const { files } = this.#context
    if (view.match(known.fileId) !== undefined) return files.forget(known.number)
    if (!view.hasLooked(known.id)) return
    const seen = await view.findBeside(known.id, known.fileId)
    if (seen === undefined) await this.#miss(known)
    else if (seen.size < known.offset) files.forget(known.number)
    else this.#sightOf(known).missed = undefined
  }

  /** A file that was begun is there: maybe under another name, grown, or not what it was. */
  async #found(known: KnownFile, seen: SeenFile, view: FollowView): Promise<void> {
    const { files } = this.#context
    const sight = this.#sightOf(known)
    sight.missed = undefined
    const isRenamed = known.id !== seen.id
    const now = files.update(known.number, { id: seen.id })
    const isAlike = sight.size === seen.size && sight.modifiedMicros === seen.modifiedMicros
    const isSame = sight.isVerified && !isRenamed && isAlike && !sight.isDoubted
    if (isSame || (this.#context.areWhole && known.isAtEnd)) return this.#hold(now)
    const cursor = await this.#open(now, sight)
    const size = cursor === undefined ? undefined : await cursor.check()
    if (size === undefined) return this.#await(known)
    if (size === "cut") {
      // A removed file has left its inode to another one, unless it is where it was.
      if (!isRenamed) return await this.#cut(now, seen, view)
      await this.#drop(known)
      if (!this.#context.areWhole) await this.#addGenerations(known.id, undefined, view)
      return
    }
    if (size < sight.size && now.offset === 0) return await this.#cut(now, seen, view)
    if (size < sight.size) {
      this.#tellShorter(now, sight.size - size)
      sight.tried = now.offset
    }
    this.#hold(now)
    if (size !== sight.size) sight.changedMicros = this.#context.nowMicros()
    Object.assign(sight, { size, modifiedMicros: seen.modifiedMicros, isVerified: true })
    if (this.#context.areWhole) return
    if (size === now.offset) files.update(now.number, { isAtEnd: true })
    await this.#checkCopies(now, seen, view)
  }

  /** It was renamed since it was seen: who looks again finds it. */
  #await({ number }: KnownFile): void {
    this.#awaited = Math.min(this.#awaited, number)
  }

  #hold({ id, number }: KnownFile): void {
    this.#holders.set(id, number)
  }

  /** A file that bears the name of an earlier generation has been under the name of the later one, or before it. */
  #holdBases(id: string, number: number): void {
    if (this.#context.areWhole) return
    const directory = posix.dirname(id)
    for (const base of basesOf(posix.basename(id))) {
      this.#holders.set(directory === "." ? base : posix.join(directory, base), number)
    }
  }

  /** A file that was begun is not to be seen: while it is open it is read on. */
  async #miss(known: KnownFile): Promise<void> {
    const sight = this.#sightOf(known)
    const now = this.#context.nowMicros()
    sight.missed ??= { sinceMicros: now, looks: 0 }
    sight.missed.looks++
    const size = await sight.cursor?.check()
    if (typeof size === "number" && size > sight.size) {
      Object.assign(sight, { size, changedMicros: now })
      return
    }
    const isLeft = sight.cursor !== undefined && sight.size > sight.tried
    const { looks, sinceMicros } = sight.missed
    if (isLeft || looks < MISSED_LOOKS || now - Math.max(sinceMicros, sight.changedMicros) < MISSED_MICROS) return
    await this.#drop(known)
  }

  /** Forgets a file that is gone. */
  async #drop(known: KnownFile): Promise<void> {
    const { files, input } = this.#context
    const sight = this.#sightOf(known)
    const isTracked = sight.isVerified
    const partial = sight.cursor?.partialBytes ?? 0
    const { number, id, isAtEnd, role, offset } = files.get(known.number)!
    files.forget(number)
    if (this.#holders.get(id) === number) this.#holders.delete(id)
    await this.#close(sight)
    this.#sights.delete(number)
    if (role !== "read") return
    if (isAtEnd && !isTracked) this.#vanished.push(id)
    if (isAtEnd) return
    const label = fileLabel(id, input)
    const message =
      isTracked && partial > 0
        ? `${sentence(label)} is gone, and its last ${counted(partial, "byte was", "bytes were")} no whole record.`
        : `${sentence(label)} is gone, and was read up to byte ${offset} only.`
    this.#gap(message, "Let files be renamed within their directory, and removed only when they were read.")
  }

  /** A file has been cut, or written anew: what it has now is another file. A copy of it may have what was not read. */
  async #cut(known: KnownFile, seen: SeenFile, view: FollowView): Promise<void> {
    const { files } = this.#context
    const sight = this.#sightOf(known)
    if (known.offset > 0 && !sight.isCut) {
      // The view may be of a moment before the cut, when a copy of it was still being made, and looked like none: once more.
      sight.isCut = true
      return this.#await(known)
    }
    const unread = Math.max(0, sight.size - known.offset)
    const copies = await this.#addGenerations(seen.id, known, view, seen.fileId, seen)
    if (copies === undefined) return this.#await(known)
    files.forget(known.number)
    await this.#close(sight)
    this.#sights.delete(known.number)
    const role = "read"
    this.#hold(files.add({ role, id: seen.id, fileId: seen.fileId }))
    this.#tellCut(seen.id, known.offset, copies, unread)
  }

  #tellCut(id: string, offset: number, copies: readonly string[], unread = 0): void {
    const { length } = copies
    const of =
      length === 0 ? "No copy of what it was lies beside it" : `What a copy of it has (${copies.join(", ")}) is read`
    const lost = unread > 0 && length === 0 ? `, and ${counted(unread, "byte")} of it were seen and not read` : ""
    const label = sentence(fileLabel(id, this.#context.input))
    const message = `${label} was cut when it had been read up to byte ${offset}. ${of}${lost}.`
    this.#gap(
      message,
      "What was written between the copy and the cut is lost, and how much that is nobody can tell. Let the file be renamed instead.",
    )
  }

  /** What was read is still there, and something behind it is not any more: a writer may have taken half a line back. */
  #tellShorter(known: KnownFile, bytes: number): void {
    const label = sentence(fileLabel(known.id, this.#context.input))
    const what = counted(bytes, "byte that was", "bytes that were")
    this.#gap(`${label} has lost ${what} seen behind byte ${known.offset}, and not read.`, "Let files grow only.")
  }

  /**
   * Takes in generations of a file that nobody has seen, oldest first.
   *
   * @param before what was read of the file last, if a copy of it may be among them: that is read on.
   * @param except the file that has the name now, if it has not lost it meanwhile.
   * @param holder that file, if it may be copied: a copy of what it has now is not taken in, as that is read where it is. It may be cut
   * later, and is looked at again until then.
   * @returns where they lie; `undefined` where one was renamed since it was seen, and nothing was taken in.
   */
  async #addGenerations(
    id: string,
    before: KnownFile | undefined,
    view: FollowView,
    except?: string,
    holder?: SeenFile,
  ) {
    const { files } = this.#context
    const generations = await view.generationsOf(id)
    const unknown = generations.filter(({ fileId }) => fileId !== except && files.byFileId(fileId) === undefined)
    let copy: SeenFile | undefined
    for (const seen of before !== undefined && before.offset > 0 ? unknown : []) {
      const isCopy = seen.size >= before!.offset && (await this.#isCopy(seen, before!))
      if (isCopy === undefined) return undefined
      if (isCopy) copy = seen
      if (isCopy) break
    }
    const others = unknown.filter((seen) => seen !== copy)
    const copiesOfNow = holder === undefined ? [] : await this.#copiesOf(holder, others)
    if (copiesOfNow === undefined) return undefined
    const added = unknown.filter((seen) => !copiesOfNow.includes(seen))
    for (const seen of added) {
      const { offset, ordinal, fingerprint } = before ?? { offset: 0, ordinal: 0, fingerprint: undefined }
      const start = seen === copy ? { offset, ordinal, fingerprint: fingerprint! } : {}
      files.add({ role: "read", id: seen.id, fileId: seen.fileId, ...start })
    }
    return added.map((seen) => seen.id)
  }

  /** Those of some files that are copies of what a file has now, whole or not, as far as can be seen; `undefined` where one is gone. */
  async #copiesOf(holder: SeenFile, among: readonly SeenFile[]): Promise<readonly SeenFile[] | undefined> {
    const { readHead } = this.#context
    const heads = await Promise.all(among.map((seen) => readHead(seen, FINGERPRINT_BYTES)))
    // Looked at behind them, as no copy is longer than what it was made of.
    const now = await readHead(holder, FINGERPRINT_BYTES)
    if (now === undefined || heads.includes(undefined)) return undefined
    const isCopy = (head: Uint8Array) => head.length <= now.length && startsAlike(head, now)
    return now.length === 0 ? [] : among.filter((_, index) => isCopy(heads[index]!))
  }

  /** Takes in what has come and gone under a name that a file has given up, and that none has now. */
  async #takeUpBehind(view: FollowView): Promise<void> {
    const { files } = this.#context
    for (const [id, number] of [...this.#holders]) {
      const last = files.get(number)
      if (last === undefined) this.#holders.delete(id)
      if (view.hasMatch(id)) continue
      const isMissed = last !== undefined && this.#sightOf(last).missed !== undefined
      if (last?.id !== id || isMissed) await this.#addBehind(id, last, view)
    }
  }

  /** Takes in generations that came behind the file that had a name last. */
  async #addBehind(id: string, last: KnownFile | undefined, view: FollowView, except?: string): Promise<boolean> {
    const isMissed = last !== undefined && this.#sightOf(last).missed !== undefined
    const added = await this.#addGenerations(id, isMissed ? last : undefined, view, except)
    if (added === undefined) this.#await(last!)
    return added !== undefined
  }

  /**
   * What comes to lie beside a file under the name of an earlier generation, while that file keeps its name, is a copy of what was in it.
   * What the pattern matches is a file of its own, whatever its name is like. Where it still is, the file is read; where it is not any more, the file was cut, and may not show it.
   */
  async #checkCopies(known: KnownFile, seen: SeenFile, view: FollowView): Promise<void> {
    const { files, readHead } = this.#context
    const sight = this.#sightOf(known)
    const { isDoubted } = sight
    sight.isDoubted = false
    const isOther = ({ fileId }: SeenFile) => files.byFileId(fileId) !== undefined || view.match(fileId) !== undefined
    const unknown = (await view.generationsOf(seen.id)).filter((beside) => beside.size > 0 && !isOther(beside))
    if (unknown.length === 0) return
    const now = await readHead(seen, FINGERPRINT_BYTES)
    const heads = await Promise.all(unknown.map((beside) => readHead(beside, FINGERPRINT_BYTES)))
    if (now === undefined || heads.some((head) => head === undefined)) return this.#await(known)
    if (heads.some((head) => now.length > 0 && startsAlike(head!, now))) return
    if (known.offset === 0) return await this.#cut(known, seen, view)
    if (!isDoubted) {
      // It may have been cut since it was checked: then the next look says so, and knows the copy of what was read.
      sight.isDoubted = true
      return this.#await(known)
    }
    this.#tellCut(seen.id, 0, (await this.#addGenerations(seen.id, undefined, view, seen.fileId)) ?? [])
  }

  async #isCopy(seen: SeenFile, of: KnownFile): Promise<boolean | undefined> {
    const head = await this.#context.readHead(seen, FINGERPRINT_BYTES)
    if (head === undefined) return undefined
    return head.length >= Math.min(of.offset, FINGERPRINT_BYTES) && fingerprintOf(head, of.offset) === of.fingerprint
  }

  /** Takes in a file that matches and is not known. */
  async #takeUp(seen: SeenFile, view: FollowView): Promise<void> {
    const { files, areWhole } = this.#context
    if (files.byFileId(seen.fileId)?.role === "read" || !view.isConfirmed(seen)) return
    const holder = this.#holders.get(seen.id)
    if (!areWhole && holder === undefined) await this.#passOverEarlier(seen, view)
    else if (!areWhole) {
      const last = files.get(holder!)
      if (!(await this.#addBehind(seen.id, last, view, seen.fileId))) return
      // What is written to it before the new one is, is read before that.
      if (last !== undefined && this.#sightOf(last).missed === undefined) await this.#open(last, this.#sightOf(last))
    }
    this.#hold(files.add({ role: "read", id: seen.id, fileId: seen.fileId }))
  }

  /** A file that is read for the first time: generations of it that are there already are none of ours. */
  async #passOverEarlier(seen: SeenFile, view: FollowView): Promise<void> {
    const { files } = this.#context
    for (const { id, fileId, size } of await view.generationsOf(seen.id)) {
      if (view.match(fileId) !== undefined || files.byFileId(fileId) !== undefined) continue
      files.add({ role: "earlier", id, fileId, offset: size, isAtEnd: true })
    }
  }

  /** What there is to read until the next look. Files are opened now, so that nobody can take them away. */
  async #plan(): Promise<void> {
    this.#pass = []
    const { files, nowMicros } = this.#context
    const reading = files.all.filter(({ role, isAtEnd }) => role === "read" && !(this.#context.areWhole && isAtEnd))
    for (const known of reading) {
      const sight = this.#sightOf(known)
      if (!sight.isVerified && sight.missed === undefined && sight.cursor === undefined) await this.#begin(known, sight)
    }
    if (!this.#context.areWhole) await this.#measureBackwards(reading)
    for (const known of reading) {
      if (known.number >= this.#awaited) break
      const sight = this.#sightOf(known)
      if (sight.size > sight.tried) this.#pass.push(known.number)
      else if (sight.cursor !== undefined && nowMicros() - sight.changedMicros > QUIET_MICROS) await this.#close(sight)
    }
  }

  /**
   * Measures files that come before one of which there is something to read, once more and the last first: so of what was written to two files one
   * after the other, the later is never seen without the earlier.
   */
  async #measureBackwards(reading: readonly KnownFile[]): Promise<void> {
    let isBehind = false
    for (const known of reading.toReversed()) {
      const sight = this.#sightOf(known)
      if (isBehind && sight.cursor !== undefined) sight.size = Math.max(sight.size, await sight.cursor.size())
      isBehind ||= sight.size > sight.tried
    }
  }

  /** Opens a file that was just taken in. */
  async #begin(known: KnownFile, sight: Sight): Promise<void> {
    const cursor = await this.#open(known, sight)
    if (cursor === undefined) return this.#await(known)
    const size = await cursor.check()
    if (typeof size !== "number") return
    Object.assign(sight, { size, isVerified: true })
    if (size === known.offset && !this.#context.areWhole) this.#context.files.update(known.number, { isAtEnd: true })
  }

  /** Closes the file that has been quiet for longest, where as many are open as may be. */
  async #makeRoom(): Promise<void> {
    const open = [...this.#opened]
    if (open.length < OPEN_FILES_MAX) return
    const idle = open.filter(({ missed }) => missed === undefined)
    const [first] = (idle.length > 0 ? idle : open).sort((one, other) => one.changedMicros - other.changedMicros)
    assert(first !== undefined, "a file is open")
    await this.#close(first)
  }

  async #close(sight: Sight): Promise<void> {
    const { cursor } = sight
    sight.cursor = undefined
    this.#opened.delete(sight)
    await cursor?.close()
  }

  #gap(message: string, hint: string): void {
    this.#notices.push({ message, hint, isGap: true })
  }

  #tellVanished(): void {
    const gone = this.#vanished.splice(0)
    if (gone.length === 0) return
    const shown = `${gone.slice(0, 5).join(", ")}${gone.length > 5 ? ` and ${gone.length - 5} more` : ""}`
    const them = gone.length === 1 ? "it was" : "they were"
    const message = `The input ${this.#context.input} had read ${shown} to the end, and finds nothing of that any more.`
    const hint = `If anything was written to ${gone.length === 1 ? "it" : "them"} after that and before ${them} removed, it is lost.`
    this.#notices.push({ message, hint, isGap: false })
  }

  #tellCompressed(): void {
    this.#hasToldCompressed = true
    const message = `The input ${this.#context.input} passes over compressed files, as it follows files that grow.`
    const hint =
      "Narrow the pattern if they are not meant. Read them by an input of its own, without follow, and unite both."
    this.#notices.push({ message, hint, isGap: false })
  }
}

function startsAlike(one: Uint8Array, other: Uint8Array): boolean {
  const { length } = one.length < other.length ? one : other
  return one.subarray(0, length).every((byte, at) => other[at] === byte)
}

function sentence(label: string): string {
  return label.charAt(0).toUpperCase() + label.slice(1)
}

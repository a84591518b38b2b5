/** Thrown while a file is taken apart, where it is not as Parquet says. The decoder adds which file, column and page. */
export class Malformed extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = "Malformed"
  }
}

/** Thrown where the bytes at hand end too early: more of them may mend it. */
export class CutShort extends Malformed {
  constructor(what: string) {
    super(`${what} is cut short`)
    this.name = "CutShort"
  }
}

/** Thrown where a page takes more bytes than are allowed, which may be as it is meant. */
export class TooLarge extends Malformed {
  constructor(bytes: number, bytesMax: number) {
    super(`a page takes ${bytes} bytes, and maxPageBytes is ${bytesMax}`)
    this.name = "TooLarge"
  }
}

/** Throws unless `condition` holds, which a file that is as Parquet says fulfils. */
export function demand(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Malformed(reason)
}

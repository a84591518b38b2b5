/** Values that a column's type does not have: which, and why. There are few, or the file was made for another schema. */
export class Faults {
  /** Which value, counted among those that were converted together. */
  readonly places: number[] = []
  /** A clause that goes on after "the field … is". */
  readonly reasons: string[] = []

  note(place: number, reason: string): void {
    this.places.push(place)
    this.reasons.push(reason)
  }

  clear(): void {
    this.places.length = 0
    this.reasons.length = 0
  }
}

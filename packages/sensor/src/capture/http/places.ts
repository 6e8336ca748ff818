/**
 * What is there for a while, many at a time. Not a Set: its tables are made anew as elements come and go, and each old one
 * points to the next, so that once one of them lives in the old generation everything that was ever in a later one does too,
 * until the next full collection.
 */
export class Places<T> {
  readonly #places: (T | undefined)[] = []
  readonly #free: number[] = []
  count = 0

  /** Returns the place, for `leave`. */
  take(item: T): number {
    const place = this.#free.pop() ?? this.#places.length
    this.#places[place] = item
    this.count++
    return place
  }

  leave(place: number): void {
    this.#places[place] = undefined
    this.#free.push(place)
    this.count--
  }

  taken(): T[] {
    return this.#places.filter((item) => item !== undefined)
  }
}

/** Remembers the entries used last; the oldest goes when there are too many. */
export interface BoundedMap<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

/** `sizeMax` ≥ 1. A Map keeps the order in which keys came, so taking a key out and in again makes it the newest. */
export function createBoundedMap<V>(sizeMax: number): BoundedMap<V> {
  const entries = new Map<string, V>()
  const put = (key: string, value: V) => {
    entries.delete(key)
    entries.set(key, value)
  }
  return {
    get(key) {
      const value = entries.get(key)
      if (value !== undefined) put(key, value)
      return value
    },
    set(key, value) {
      put(key, value)
      const [oldest] = entries.keys()
      if (entries.size > sizeMax && oldest !== undefined) entries.delete(oldest)
    },
    delete: (key) => void entries.delete(key),
  }
}

/** A promise with its resolver outside (Promise.withResolvers arrives with Node 22). */
export interface Deferred<T> {
  promise: Promise<T>
  resolve: (value: T) => void
}

export function defer<T>(): Deferred<T> {
  let resolve: ((value: T) => void) | undefined
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve: (value) => resolve?.(value) }
}

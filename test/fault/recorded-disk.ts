import { basename, dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { FileIdentity, FileLayer, LayerFile } from '@affidavit/sensor/durable/layer'

/**
 * A disk in memory that remembers every write, sync and change of a name, in the order in which they were asked for and
 * done, and can say what it may hold if the power fails in between: what was synced for certain; of the rest any part,
 * sector by sector and sometimes byte by byte, in no order between sectors.
 */

const sectorBytes = 512

export type Random = () => number

/** Mulberry32: small, seeded, good enough to choose. */
export function makeRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

interface Write {
  file: number
  position: number
  bytes: Uint8Array
}

type NameChange = { set: string; file: number | 'directory' } | { remove: string } | { rename: string; to: string }

type Event =
  | { type: 'write'; write: Write }
  | { type: 'written'; write: Write }
  | { type: 'synced'; file: number; covers: Set<Write> }
  | { type: 'name'; directory: string; change: NameChange }
  | { type: 'directorySynced'; directory: string; covers: number }
  | { type: 'mark'; mark: string }

/** What a disk holds at one moment. */
export interface DiskState {
  names: Map<string, number | 'directory'>
  files: Map<number, Uint8Array>
}

const failed = (code: string, syscall: string) => Object.assign(new Error(`${code}: ${syscall}`), { code, syscall })
const between = (random: Random, from: number, to: number) => from + Math.floor(random() * (to - from + 1))

export class RecordedDisk {
  readonly events: Event[] = []
  readonly #initial: DiskState
  readonly #names: DiskState['names']
  readonly #files: DiskState['files']
  readonly #random: Random
  /** Writes that are done, by file. */
  readonly #done = new Map<number, Set<Write>>()
  readonly #changes = new Map<string, number>()
  #nextFile: number
  readonly layer: FileLayer

  constructor(random: Random, initial: DiskState = { names: new Map([['/', 'directory']]), files: new Map() }) {
    this.#random = random
    this.#initial = initial
    this.#names = new Map(initial.names)
    this.#files = new Map(initial.files)
    this.#nextFile = Math.max(0, ...initial.files.keys()) + 1
    this.layer = this.#makeLayer()
  }

  /** Something the test learned at this moment, such as a receipt. */
  mark(mark: string): void {
    this.events.push({ type: 'mark', mark })
  }

  /** Marks set before the event with this index. */
  marksBefore(end: number): Set<string> {
    return new Set(this.events.slice(0, end).flatMap((event) => (event.type === 'mark' ? [event.mark] : [])))
  }

  /** What the disk may hold if the power fails right before the event with this index. */
  crashAt(end: number, random: Random): DiskState {
    const names = this.#crashNames(this.events.slice(0, end), random)
    const files = new Map<number, Uint8Array>()
    const kept = new Set([...names.values()].filter((file) => file !== 'directory'))
    for (const file of kept) files.set(file, this.#crashFile(file, this.events.slice(0, end), random))
    return { names, files }
  }

  /** Changes of one directory reach the disk in order; how many beyond the synced ones is chance. */
  #crashNames(events: Event[], random: Random): DiskState['names'] {
    const changes = new Map<string, NameChange[]>()
    const durable = new Map<string, number>()
    for (const event of events) {
      if (event.type === 'name') changes.set(event.directory, [...(changes.get(event.directory) ?? []), event.change])
      if (event.type === 'directorySynced')
        durable.set(event.directory, Math.max(event.covers, durable.get(event.directory) ?? 0))
    }
    const names = new Map(this.#initial.names)
    for (const [directory, made] of changes)
      for (const change of made.slice(0, between(random, durable.get(directory) ?? 0, made.length)))
        applyName(names, change)
    const isReachable = (path: string): boolean =>
      path === '/' || (names.get(dirname(path)) === 'directory' && isReachable(dirname(path)))
    return new Map([...names].filter(([path]) => isReachable(path)))
  }

  #crashFile(file: number, events: Event[], random: Random): Uint8Array {
    const durable = new Set<Write>()
    const done: Write[] = []
    const asked = new Set<Write>()
    for (const event of events) {
      if (event.type === 'write' && event.write.file === file) asked.add(event.write)
      if (event.type === 'written' && event.write.file === file) {
        done.push(event.write)
        asked.delete(event.write)
      }
      if (event.type === 'synced' && event.file === file) for (const write of event.covers) durable.add(write)
    }
    // A sync covers all that was done when it began, so the durable ones come first.
    const rest = [...done.filter((write) => !durable.has(write)), ...asked]
    let content = this.#initial.files.get(file) ?? new Uint8Array(0)
    for (const write of done) if (durable.has(write)) content = applyWrite(content, write, () => write.bytes.length)
    return applyTorn(content, rest, random)
  }

  #makeLayer(): FileLayer {
    return {
      parallelSyncs: 3,
      open: async (path, mode) => {
        await this.#wait()
        const there = this.#names.get(path)
        if (mode === 'create' && there !== undefined) throw failed('EEXIST', 'open')
        if (mode !== 'create' && typeof there !== 'number') throw failed('ENOENT', 'open')
        const file = typeof there === 'number' ? there : this.#create(path)
        return this.#openFile(file)
      },
      identify: async (path) => {
        const there = this.#names.get(path)
        return typeof there === 'number' ? this.#identity(there) : undefined
      },
      readFile: async (path) => {
        const there = this.#names.get(path)
        return typeof there === 'number' ? (this.#files.get(there) ?? new Uint8Array(0)).slice() : undefined
      },
      list: async (directory) =>
        [...this.#names.keys()]
          .filter((path) => path !== '/' && dirname(path) === directory)
          .map((path) => basename(path)),
      makeDirectory: async (directory) => {
        const missing: string[] = []
        for (let path = directory; !this.#names.has(path); path = dirname(path)) missing.unshift(path)
        for (const path of missing) this.#change(dirname(path), { set: path, file: 'directory' })
        return missing[0]
      },
      rename: async (from, to) => {
        await this.#wait()
        if (!this.#names.has(from)) throw failed('ENOENT', 'rename')
        this.#change(dirname(to), { rename: from, to })
      },
      link: async (from, to) => {
        await this.#wait()
        if (this.#names.has(to)) throw failed('EEXIST', 'link')
        const file = this.#names.get(from)
        if (typeof file !== 'number') throw failed('ENOENT', 'link')
        this.#change(dirname(to), { set: to, file })
      },
      unlink: async (path) => {
        if (!this.#names.has(path)) throw failed('ENOENT', 'unlink')
        this.#change(dirname(path), { remove: path })
      },
      syncDirectory: async (directory) => {
        const covers = this.#changes.get(directory) ?? 0
        await this.#wait()
        this.events.push({ type: 'directorySynced', directory, covers })
      },
    }
  }

  #create(path: string): number {
    const file = this.#nextFile++
    this.#files.set(file, new Uint8Array(0))
    this.#change(dirname(path), { set: path, file })
    return file
  }

  #change(directory: string, change: NameChange): void {
    applyName(this.#names, change)
    this.#changes.set(directory, (this.#changes.get(directory) ?? 0) + 1)
    this.events.push({ type: 'name', directory, change })
  }

  #openFile(file: number): LayerFile {
    const sync = async () => {
      const covers = new Set(this.#done.get(file))
      await this.#wait()
      this.events.push({ type: 'synced', file, covers })
    }
    return {
      write: async (bytes, position) => {
        const write = { file, position, bytes: bytes.slice() }
        this.events.push({ type: 'write', write })
        await this.#wait()
        this.#files.set(
          file,
          applyWrite(this.#files.get(file) ?? new Uint8Array(0), write, () => bytes.length),
        )
        this.#done.set(file, (this.#done.get(file) ?? new Set()).add(write))
        this.events.push({ type: 'written', write })
      },
      read: async (into, position) => {
        const bytes = (this.#files.get(file) ?? new Uint8Array(0)).subarray(position, position + into.length)
        into.set(bytes)
        return bytes.length
      },
      syncContent: sync,
      syncAll: sync,
      identity: async () => this.#identity(file),
      close: async () => undefined,
    }
  }

  #identity(file: number): FileIdentity {
    return { dev: 1, ino: file, size: this.#files.get(file)?.length ?? 0, modifiedMs: Date.now() }
  }

  /** Operations overtake each other. */
  async #wait(): Promise<void> {
    for (let turns = between(this.#random, 0, 3); turns > 0; turns--) await turn()
  }
}

function applyName(names: DiskState['names'], change: NameChange): void {
  if ('set' in change) names.set(change.set, change.file)
  else if ('remove' in change) names.delete(change.remove)
  else {
    const file = names.get(change.rename)
    names.delete(change.rename)
    if (file !== undefined) names.set(change.to, file)
  }
}

/** The content after the first `until()` bytes of the write; a new array where it grows. */
function applyWrite(content: Uint8Array, { position, bytes }: Write, until: () => number): Uint8Array {
  const part = bytes.subarray(0, until())
  let into = content
  if (position + part.length > content.length) {
    into = new Uint8Array(position + part.length)
    into.set(content)
  } else into = content.slice()
  into.set(part, position)
  return into
}

/** Each sector takes any number of the writes that touch it, in their order; now and then it tears inside. */
function applyTorn(content: Uint8Array, rest: Write[], random: Random): Uint8Array {
  const end = Math.max(content.length, ...rest.map(({ position, bytes }) => position + bytes.length))
  const into = new Uint8Array(end)
  into.set(content)
  const style = random()
  for (let sector = 0; sector < end; sector += sectorBytes) {
    const touching = rest.filter(
      ({ position, bytes }) => position < sector + sectorBytes && position + bytes.length > sector,
    )
    if (touching.length === 0) continue
    // Nothing, everything or a mixture reached the disk: all three happen.
    const count = style < 0.2 ? 0 : style < 0.4 ? touching.length : between(random, 0, touching.length)
    const tear = random() < 0.1 ? between(random, 0, sectorBytes) : sectorBytes
    for (const write of touching.slice(0, count)) applyToSector(into, write, { sector, end: sector + tear })
  }
  // The size may have stayed behind, down to what is known to be there.
  return random() < 0.3 ? into.subarray(0, between(random, content.length, end)) : into
}

function applyToSector(into: Uint8Array, { position, bytes }: Write, range: { sector: number; end: number }): void {
  const from = Math.max(position, range.sector)
  const to = Math.min(position + bytes.length, range.end)
  if (to > from) into.set(bytes.subarray(from - position, to - position), from)
}

import { dirname } from 'node:path'
import { toHomePaths } from './home-paths.ts'
import { type FileLayer, systemLayer, toSystemCode } from './layer.ts'
import { readSmall } from './read-small.ts'
import { createDirectory, replace } from './write.ts'

/** Hashes of executables by marks of their files, kept between processes (sensor/identity/hash-executable). */
export interface KeptHashes {
  load(): ReadonlyMap<string, string>
  save(hashes: ReadonlyMap<string, string>): Promise<void>
}

const entriesMax = 256
const bytesMax = 256 * 1024
const entry = /^[\d.:-]{1,200}$/
const hash = /^[A-Za-z0-9+/]{43}=$/

/**
 * The file state/executables.json of the home folder, mode 0600, replaced whole. Derived: whoever deletes it costs the next
 * process some tenths of a second, and whoever writes into it makes records say what is not so, as he could by running
 * another program as the same user. Of processes that save at once one wins; what the others hashed is hashed again.
 */
export function keepExecutableHashes(homeDir: string, layer: FileLayer = systemLayer): KeptHashes {
  const path = toHomePaths(homeDir).executableHashes
  const load = () => parseHashes(readSmall(path, bytesMax) ?? '')
  return {
    load,
    async save(hashes) {
      // The newest last: what was not seen for long falls out first.
      const known = [...load()].filter(([mark]) => !hashes.has(mark))
      const kept = [...known, ...hashes].slice(-entriesMax)
      await orNothing(createDirectory(layer, dirname(path)))
      await orNothing(replace(layer, path, Buffer.from(JSON.stringify(Object.fromEntries(kept)))))
    },
  }
}

/** What is not as we write it is hashed again. */
function parseHashes(text: string): ReadonlyMap<string, string> {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return new Map()
  const all = Object.entries(value).filter(
    (each): each is [string, string] => typeof each[1] === 'string' && entry.test(each[0]) && hash.test(each[1]),
  )
  return new Map(all)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (toSystemCode(error) === undefined) throw error
    return undefined
  }
}

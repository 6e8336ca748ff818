import type { Node } from 'jsonc-parser'
import { type Member, memberOf, membersOf } from './document.ts'
import type { ServersPath } from './locations.ts'

/** A server as a configuration file has it. */
export interface Server {
  name: string
  /** Members that lead from the root of the file to it, its name last. */
  path: readonly string[]
  /** The folder of the project it is for, where a user's file keeps servers by project. */
  project?: string
  member: Member
  /** Something else in the file has the same path: clients see the last, and an edit might change another. */
  isTwice: boolean
}

/** Every server of a file, in its order. */
export function listServers(root: Node | undefined, paths: readonly ServersPath[]): Server[] {
  const found = paths.flatMap((path) => findContainers(root, path, []).flatMap(({ node, at }) => serversIn(node, at)))
  return found.map((server) => ({
    ...server,
    isTwice: found.filter(({ path }) => isSamePath(path, server.path)).length > 1,
  }))
}

/** The server at a path of names; undefined where it is gone. */
export function findServer(servers: readonly Server[], path: readonly string[]): Server | undefined {
  return servers.find((server) => isSamePath(server.path, path))
}

export function isSamePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, i) => name === other[i])
}

interface Container {
  node: Node
  at: readonly string[]
}

/** Of two members with one name clients see the last. */
function findContainers(node: Node | undefined, [next, ...rest]: ServersPath, at: readonly string[]): Container[] {
  if (node === undefined) return []
  if (next === undefined) return [{ node, at }]
  const members = next === '*' ? membersOf(node) : [memberOf(node, next)].filter((member) => member !== undefined)
  return members.flatMap(({ name, value }) => findContainers(value, rest, [...at, name]))
}

function serversIn(node: Node, at: readonly string[]): Omit<Server, 'isTwice'>[] {
  const project = at[0] === 'projects' ? at[1] : undefined
  return membersOf(node).map((member) => ({
    name: member.name,
    path: [...at, member.name],
    ...(project === undefined ? {} : { project }),
    member,
  }))
}

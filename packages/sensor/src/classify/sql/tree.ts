/** Foreign syntax trees, read one member at a time: what is not there or of another kind is simply absent. */
export type Node = Readonly<Record<string, unknown>>

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function nodeAt(node: Node | undefined, key: string): Node | undefined {
  const value = node?.[key]
  return isNode(value) ? value : undefined
}

export function listAt(node: Node | undefined, key: string): readonly unknown[] {
  const value: unknown = node?.[key]
  return Array.isArray(value) ? value : []
}

export const nodesAt = (node: Node | undefined, key: string): Node[] => listAt(node, key).filter(isNode)

export function textAt(node: Node | undefined, key: string): string | undefined {
  const value = node?.[key]
  return typeof value === 'string' ? value : undefined
}

/** A node that is a tag with its body, `{ SelectStmt: {…} }`, as both parsers write them. */
export function tagged(node: Node): [tag: string, body: Node | undefined] | undefined {
  const tag = Object.keys(node)[0]
  return tag === undefined ? undefined : [tag, nodeAt(node, tag)]
}

/** Zero or one, for flatMap. */
export const present = (node: Node | undefined): Node[] => (node === undefined ? [] : [node])

#!/usr/bin/env node
// Starts the command. Kept free of syntax newer than Node 12, so that an old Node prints the sentence below and not a parse error.
import * as fs from 'node:fs'
import * as nodeModule from 'node:module'

const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `affidavit: needs Node.js 24 or newer, this is ${process.versions.node}. Install Node.js 24, or use @affidavit/sensor (Node.js 20) to capture only. [AFD_NODE_TOO_OLD]\n`,
  )
  process.exitCode = 2
} else {
  start()
}

function start() {
  const built = new URL('../dist/cli/main.js', import.meta.url)
  const source = new URL('../src/cli/main.ts', import.meta.url)
  // A checkout holds the sources and runs them as they are; a published package holds only dist/.
  if (!fs.existsSync(source)) return import(built.href)
  nodeModule.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: ['@affidavit/source', ...context.conditions] }),
  })
  return import(source.href)
}

#!/usr/bin/env node
// Starts the sensor's command from the bundle in dist/ where the package is published, from its sources in a checkout (Node.js 24).
import * as fs from 'node:fs'
import * as nodeModule from 'node:module'

const source = new URL('../src/cli/main.ts', import.meta.url)
if (fs.existsSync(source) && typeof nodeModule.registerHooks === 'function') {
  nodeModule.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: ['@affidavit/source', ...context.conditions] }),
  })
  await import(source.href)
} else {
  await import(new URL('../dist/bundle/main.js', import.meta.url).href)
}

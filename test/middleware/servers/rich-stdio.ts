import { auditServer } from '@affidavit/sensor/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createRichServer } from '../harness/rich-server.ts'

/** The rich server on stdio, of either era, audited into RICH_HOME. */
serveStdio(() => {
  const server = createRichServer()
  auditServer(server, {
    serverName: 'rich',
    ...(process.env.RICH_HOME === undefined ? {} : { home: process.env.RICH_HOME }),
  })
  return server
})

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

// A server of the official SDK, audited into BENCH_HOME where that is set; at its end it says how late its event loop was.
const server = new McpServer({ name: 'echo', version: '1.0.0' })
if (process.env.BENCH_HOME !== undefined) {
  const { auditServer } = await import('@affidavit/sensor/server')
  auditServer(server, { serverName: 'echo', home: process.env.BENCH_HOME })
}
const input = z.object({ customer: z.number(), note: z.string(), tags: z.array(z.string()) })
server.registerTool('echo', { description: 'says it again', inputSchema: input }, ({ note }) => ({
  content: [{ type: 'text', text: note }],
}))
await server.connect(new StdioServerTransport())
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
process.on('exit', () => {
  const inMs = (ns) => (ns / 1e6).toFixed(1)
  process.stderr.write(
    `    event loop late by p50 ${inMs(delay.percentile(50))} ms, p99 ${inMs(delay.percentile(99))} ms\n`,
  )
})

import { join } from 'node:path'
import { resolveHome } from '../durable/home.ts'
import { diagnose, formatDiagnostic } from './diagnostics.ts'
import { type LoadedConfig, loadGatewayConfig } from './gateway-config.ts'
import { type GatewayArguments, gatewayHelp, parseGatewayArguments } from './gateway-options.ts'
import { serveGateway } from './gateway-process.ts'
import type { OpenPolicy } from './open-policy.ts'
import { reportUsage } from './report-usage.ts'
import { type RunWiring, requireCollector } from './run-wiring.ts'

/** `affidavit gateway`: serves until it is told to end. Returns the exit code. */
export async function gateway(argv: readonly string[], wiring: RunWiring = {}): Promise<number> {
  try {
    const args = parseGatewayArguments(argv)
    if (args === 'help') {
      process.stdout.write(gatewayHelp)
      return 0
    }
    const homeDir = resolveHome({ flag: args.home, env: process.env })
    const configPath = args.config ?? join(homeDir, 'affidavit.yaml')
    const loaded = await loadGatewayConfig(configPath)
    const policy = await openPolicyOf(loaded, homeDir)
    if (args.isCheck) {
      process.stdout.write(`${configPath}: good, ${countUpstreams(loaded)}\n`)
      return 0
    }
    requireCollector(args.collector, wiring)
    guardProcess()
    // Its end is like SIGTERM: whoever held it is gone, and nobody else would end us.
    if (args.endsWithStdin) process.stdin.once('close', () => process.kill(process.pid, 'SIGTERM')).resume()
    return await serveGateway({ loaded, homeDir, policy, startCollector: collectorOf(args, wiring) })
  } catch (error) {
    return reportUsage(error)
  }
}

/** Loaded only where there is one; what is wrong with it is told before anybody is served, and by --check. */
async function openPolicyOf({ config }: LoadedConfig, homeDir: string): Promise<OpenPolicy | undefined> {
  if (config.policy === undefined) return undefined
  const { openPolicy } = await import('./open-policy.ts')
  return openPolicy(config.policy, homeDir)
}

function countUpstreams({ config }: LoadedConfig): string {
  const count = Object.keys(config.upstreams).length
  return count === 1 ? '1 upstream' : `${count} upstreams`
}

function collectorOf({ collector }: GatewayArguments, { startCollector }: RunWiring): readonly string[] | undefined {
  return collector === undefined ? startCollector : undefined
}

/** A defect in one exchange has been told and answered before it comes here; what comes here is one in the process itself. */
function guardProcess(): void {
  process.stderr.on('error', () => undefined)
  // Node's inspector would open on this signal, in a process that holds keys.
  if (process.platform !== 'win32') process.on('SIGUSR1', () => undefined)
  process.on('uncaughtException', (error) => {
    const place = /\n\s+at (.*)/.exec(error.stack ?? '')?.[1] ?? 'unknown'
    process.stderr.write(formatDiagnostic('AFD_DEFECT', `defect: ${error.name} at ${place}`))
    diagnose('AFD_DEFECT', `defect: ${error.name}`)
    process.exit(70)
  })
}

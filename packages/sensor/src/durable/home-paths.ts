import { join } from 'node:path'

/** Where everything in a home folder lies. */
export interface HomePaths {
  identity: string
  keys: string
  sensorKey: string
  collectorKey: string
  correlationKey: string
  logKey: string
  logVerifierKey: string
  bodiesKey: string
  signer: string
  signerState: string
  spool: string
  spoolStreams: string
  log: string
  checkpoint: string
  tiles: string
  store: string
  storeDatabase: string
  index: string
  indexDatabase: string
  state: string
  toolBaselines: string
  levels: string
  executableHashes: string
  approvals: string
  run: string
  collectorLock: string
  collectorProcess: string
  diagnostics: string
  collectorDiagnostics: string
}

/** Every path of a home; nothing is touched. */
export function toHomePaths(dir: string): HomePaths {
  const keys = join(dir, 'keys')
  const signer = join(dir, 'signer')
  const spool = join(dir, 'spool')
  const log = join(dir, 'log')
  const store = join(dir, 'store')
  const index = join(dir, 'index')
  const state = join(dir, 'state')
  const run = join(dir, 'run')
  const diagnostics = join(dir, 'diagnostics')
  return {
    identity: join(dir, 'home.json'),
    keys,
    sensorKey: join(keys, 'sensor.key'),
    collectorKey: join(keys, 'collector.key'),
    correlationKey: join(keys, 'correlation.key'),
    logKey: join(keys, 'log.key'),
    logVerifierKey: join(keys, 'log.pub'),
    bodiesKey: join(keys, 'bodies.key'),
    signer,
    signerState: join(signer, 'state.json'),
    spool,
    spoolStreams: join(spool, 'streams'),
    log,
    checkpoint: join(log, 'checkpoint'),
    tiles: join(log, 'tile'),
    store,
    storeDatabase: join(store, 'collector.db'),
    index,
    indexDatabase: join(index, 'index.db'),
    state,
    toolBaselines: join(state, 'tools'),
    levels: join(state, 'levels'),
    executableHashes: join(state, 'executables.json'),
    approvals: join(dir, 'approvals'),
    run,
    collectorLock: join(run, 'collector.lock.db'),
    collectorProcess: join(run, 'collector.json'),
    diagnostics,
    collectorDiagnostics: join(diagnostics, 'collector.log'),
  }
}

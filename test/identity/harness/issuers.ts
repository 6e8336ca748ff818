import { afterAll, beforeAll } from 'vitest'
import { type Issuer, startIssuer } from '../../authorization/harness/issuer.ts'
import { type KeyServer, startKeyServer } from './key-server.ts'

/** Running for as long as the tests of the file that imports them. */
export let issuer: Issuer
export let keys: KeyServer

beforeAll(async () => {
  issuer = await startIssuer()
  keys = await startKeyServer()
})
afterAll(async () => {
  await keys.close()
  await issuer.stop()
})

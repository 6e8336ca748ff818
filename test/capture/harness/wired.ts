import { run } from '@affidavit/sensor/cli/run'

/** `affidavit run` with another collector: wired.ts COLLECTOR RUN-ARGUMENTS… */
const [collector = '', ...argv] = process.argv.slice(2)
process.exit(await run(argv, { startCollector: [collector, 'collector'] }))

import type { Terminal } from '@affidavit/sensor/cli/terminal'
import { exitCodes, formatFailure } from './failure.ts'
import { type Arguments, type CommandSpec, formatHelp, parseArguments } from './options.ts'

/** The world as a command sees it: nothing else reads env, clock or standard streams. */
export interface CommandContext {
  env: Record<string, string | undefined>
  stdout: Terminal
  stderr: Terminal
  now(): number
  /** Aborts on SIGINT and SIGTERM, and when nobody reads stdout any more. */
  signal: AbortSignal
}

export interface Command {
  spec: CommandSpec
  /** Resolves to the exit code (exitCodes). */
  run(args: Arguments, context: CommandContext): Promise<number>
}

/** Runs one command: arguments, help, work, and what failed as one line on stderr with exit code 2. */
export async function execute(command: Command, argv: readonly string[], context: CommandContext): Promise<number> {
  try {
    const args = parseArguments(command.spec, argv)
    if (!args.help) return await command.run(args, context)
    await context.stdout.write(formatHelp(command.spec))
    return exitCodes.done
  } catch (error) {
    if (context.signal.aborted) return exitCodes.done
    await context.stderr.write(formatFailure(error))
    return exitCodes.impossible
  }
}

/** A parser that is not installed. Worth no retry before it is. */
export class SqlPlugInError extends Error {
  override readonly name = 'SqlPlugInError'
  readonly code = 'AFD_SQL_PLUGIN_MISSING'
  readonly retry = false
  /** The npm package that is missing, or does not load here. */
  readonly package: string

  constructor(packageName: string, options: { version: string; cause: unknown }) {
    super(
      `SQL is read by the package ${packageName}, which could not be loaded; npm install ${packageName}@${options.version} beside @affidavit/sensor, or take SQL out of the configuration`,
      { cause: options.cause },
    )
    this.package = packageName
  }
}

/** Levels of sensitivity, from the least to the most. */
export const levelsDefault: readonly string[] = ['public', 'internal', 'confidential', 'restricted']

/** Without a catalogue the only scheme is the default one. */
export const topLevelDefault = 'restricted'

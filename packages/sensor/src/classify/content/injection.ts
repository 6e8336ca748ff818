/**
 * Text that speaks to a model instead of to a reader. The phrases are those of published attacks on agents (OWASP LLM01, the
 * SAFE-MCP techniques on tool and content poisoning); whoever writes others is not seen. Every pattern has one bounded gap at
 * most, so that it takes linear time.
 */

const object = '(?:instructions?|prompts?|rules|guidelines|directions|commands|context|conversation)'
const phrases = [
  `\\b(?:ignore|disregard|forget|override|bypass)\\b.{0,40}?\\b(?:previous|prior|above|earlier|preceding|all|any|your|existing)\\b.{0,30}?\\b${object}\\b`,
  `\\bnew (?:system )?instructions?\\s{0,4}:`,
  `\\b(?:your|the) (?:real|true|actual|new) (?:task|goal|objective|instructions?) (?:is|are)\\b`,
  `\\byou (?:are|will) now (?:act|behave|operate|respond|in|an?|the)\\b`,
  `\\b(?:do not|don't|never|without) (?:tell|telling|inform|informing|mention|mentioning|alert|alerting|notify|notifying|reveal|revealing)\\b.{0,30}?\\b(?:user|human|operator|anyone)\\b`,
  `\\b(?:reveal|print|repeat|output|leak|exfiltrate)\\b.{0,30}?\\b(?:system prompt|your instructions|hidden instructions)\\b`,
  `\\b(?:ai|llm|language model|assistant|agent)s? (?:must|should|shall|has to|have to)\\b.{0,40}?\\b(?:call|send|execute|run|read|fetch|forward|invoke|upload)\\b`,
  `\\bbefore (?:using|calling|invoking) (?:this|any|the)\\b.{0,30}?\\btools?\\b.{0,40}?\\b(?:read|call|send|include|pass|fetch)\\b`,
  `<(?:important|system|instructions?|hidden|secret)>`,
  `\\[(?:system|inst|assistant)\\]`,
  `<\\|(?:im_start|system|assistant|endoftext)\\|>`,
  `\\b(?:begin|start|end) (?:system|admin) (?:prompt|message|override)\\b`,
  `\\b(?:jailbreak|developer mode|dan mode)\\b.{0,20}?\\b(?:enabled|activated|on)\\b`,
]
const anyPhrase = new RegExp(phrases.join('|'), 'is')

/** Letters that no reader sees: Unicode's tag characters, and bidirectional overrides. */
const unseen = /[\u{E0020}-\u{E007E}]{4}|[\u202D\u202E]/u

export function holdsInstructions(text: string): boolean {
  return anyPhrase.test(text) || unseen.test(text)
}

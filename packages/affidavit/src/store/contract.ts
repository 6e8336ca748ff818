import type { ExchangeKind } from '@affidavit/evidence/record/kinds'

/**
 * What every store driver promises (DESIGN §7). Two parts that may live in different places: tiles, which anybody may
 * read and nobody has to trust, and the sequencing store, whose commit decides what the log is. The suites are
 * tiles.contract.ts and sequence.contract.ts; every driver runs them.
 */

export interface TileFile {
  /** Relative to the log, as in tlog-tiles: `tile/0/000`, `tile/entries/000.p/7`. */
  path: string
  bytes: Uint8Array
}

/** Trust: none. Whoever writes here can make the log unreadable, never make it say something else. */
export interface TileStore {
  /** Undefined where there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
  /**
   * When it resolves, every file and every directory entry on the way to it survives power loss. Before that each
   * file is there whole, in its old form, or not at all; never in parts. Replaces what a crashed run left behind.
   */
  write(files: readonly TileFile[]): Promise<void>
  /** Removes files that are there; need not be durable, because the caller repeats it at every start. */
  remove(paths: readonly string[]): Promise<void>
  /** Names in a directory of the log such as `tile/0/000.p`; none where it does not exist. For recovery only. */
  list(directory: string): Promise<string[]>
  /** Atomic and durable: readers see the old checkpoint or the new one. */
  publish(checkpoint: Uint8Array): Promise<void>
  readCheckpoint(): Promise<Uint8Array | undefined>
}

export interface TreeState {
  size: number
  /** 32 bytes; of the empty tree SHA-256 of nothing (RFC 6962 §2.1). */
  root: Uint8Array
}

export const streamStates = ['open', 'closed', 'recovered', 'refused'] as const
export type StreamStanding = (typeof streamStates)[number]

export interface Refusal {
  code: string
  reason: string
  /** First sequence number that was not accepted. */
  seq: number
}

/** How far a stream is in the log. Everything below nextSeq is sequenced, nothing else is. */
export interface StreamState {
  streamId: string
  /** Absent where the stream was refused before its opening record was accepted. */
  opening?: { sensorId: string; sensorKey: Uint8Array; counter: number; bootId: string; time: string }
  nextSeq: number
  /** Header hash of nextSeq − 1; absent where nextSeq is 0. */
  headHash?: Uint8Array
  standing: StreamStanding
  /** Present exactly where the standing is `refused`. */
  refusal?: Refusal
  /** A stream of the collector itself: it may complete and recover the streams of others. */
  own: boolean
}

/** A `requested` record whose `completed` is not sequenced. */
export interface OpenCall {
  /** Header hash of the `requested` record, 32 bytes. */
  requestedHash: Uint8Array
  streamId: string
  /** Of the stream's sensor, which may complete the call on another stream of its own. */
  sensorId: string
  seq: number
  kind: ExchangeKind
  callId: string
  callGroupId?: string
  subject?: string
  credential?: string
}

/** `count` consecutive records of one stream at consecutive leaf indexes. */
export interface LeafRange {
  firstLeaf: number
  streamId: string
  firstSeq: number
  count: number
}

export interface StoredBody {
  leaf: number
  /** Sealed under the record's own body key, as the sensor wrote it. */
  body: Uint8Array
}

export const referenceKinds = ['subject', 'credential'] as const
export type ReferenceKind = (typeof referenceKinds)[number]

/** Row of the deletable table that gives a person a random name. Deleting it makes the name mean nothing. */
export interface Reference {
  kind: ReferenceKind
  /** `s_` or `c_` and 16 hex digits. */
  reference: string
  /** HMAC-SHA256 of the identity under a key of the collector: who only has the table cannot test names against it. */
  identityKey: Uint8Array
}

/** What a wrap key is for. Subject '' stands for records about nobody. */
export interface WrapScope {
  subject: string
  retention: string
  /** `2026-11` */
  month: string
}

/** Row of the deletable table: deleting it destroys every record secret sealed under it. */
export interface WrapKey extends WrapScope {
  /** 16 random hex digits. */
  id: string
  /** First 8 hex digits of SHA-256 of the key-encryption key. */
  kekId: string
  /** The 32-byte key, sealed under the key-encryption key (wrap.ts). */
  wrapped: Uint8Array
}

/** Record secrets of one range that share a wrap key, sealed together. */
export interface SealedSecrets {
  firstLeaf: number
  wrapKeyId: string
  /** 16 random bytes: the sealing key is derived from wrap key and salt, so that it is used once. */
  salt: Uint8Array
  /** Leaf index − firstLeaf of each record, ascending, as big-endian 16-bit numbers. */
  offsets: Uint8Array
  /** AES-256-GCM over 32 bytes per offset, in that order. */
  sealed: Uint8Array
}

/** One step of the sequencer. All of it becomes durable together or none of it does. */
export interface Commit {
  /** State the step was computed on. A store that is elsewhere answers StoreError `store_moved` and changes nothing. */
  from: TreeState
  to: TreeState
  ranges: readonly LeafRange[]
  bodies: readonly StoredBody[]
  streams: readonly StreamState[]
  references: readonly Reference[]
  wrapKeys: readonly WrapKey[]
  secrets: readonly SealedSecrets[]
  openedCalls: readonly OpenCall[]
  /** Hashes of the `requested` records that are open no longer. */
  completedCalls: readonly Uint8Array[]
}

/** Trust: decides what is sequenced, and holds the sealed bodies. Its owner can lose data and stop the log, not rewrite a signed one. */
export interface SequenceStore extends SequenceReader {
  /** Durable when it resolves. */
  commit(commit: Commit): Promise<void>
  /** Durable when it resolves. Creates the stream's row where there is none. */
  setStream(state: StreamState): Promise<void>
  /** References assigned earlier, for the sequencer to reuse. */
  findReference(kind: ReferenceKind, identityKey: Uint8Array): Promise<string | undefined>
  findWrapKey(scope: WrapScope): Promise<WrapKey | undefined>
  /** Id of the sequenced stream with this number of this sensor. */
  findByCounter(sensorId: string, counter: number): Promise<string | undefined>
  openCalls(streamId?: string): Promise<OpenCall[]>
  close(): void
}

/** What query and verification read; drivers offer it without the right to write. */
export interface SequenceReader {
  treeState(): Promise<TreeState>
  readStream(streamId: string): Promise<StreamState | undefined>
  readStreams(): Promise<StreamState[]>
  /** Stream and sequence number of a leaf; undefined beyond the tree. */
  locate(leaf: number): Promise<{ streamId: string; seq: number } | undefined>
  /** Inverse of locate. */
  findLeaf(streamId: string, seq: number): Promise<number | undefined>
  /** Ranges that touch [from, to), ascending. */
  readRanges(from: number, to: number): Promise<LeafRange[]>
  /** Sealed body; undefined where the record has none or where it was removed. */
  readBody(leaf: number): Promise<Uint8Array | undefined>
  /** Bodies of the leaves in [from, to) that have one, ascending. */
  readBodies(from: number, to: number): Promise<StoredBody[]>
  /** Blobs whose range touches [from, to). */
  readSecrets(from: number, to: number): Promise<SealedSecrets[]>
  /** Undefined where the key was destroyed. */
  readWrapKey(id: string): Promise<WrapKey | undefined>
  close(): void
}

/** What the signer remembers, apart from tiles and tree state. */
export interface SignerState extends TreeState {
  origin: string
  /** Signed note for exactly this tree; absent before the first signature. */
  checkpoint?: Uint8Array
}

/** Trust: full. Whoever can set it back and has the signing key can fork the log. */
export interface SignerStore {
  load(): Promise<SignerState>
  /** Durable when it resolves. */
  save(state: SignerState): Promise<void>
}

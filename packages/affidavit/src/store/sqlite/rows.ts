import type { SQLOutputValue } from 'node:sqlite'
import { type ExchangeKind, exchangeKinds } from '@affidavit/evidence/record/kinds'
import {
  type LeafRange,
  type OpenCall,
  type SealedSecrets,
  type StoredBody,
  type StreamStanding,
  type StreamState,
  streamStates,
  type WrapKey,
} from '../contract.ts'

/** Rows as SQLite returns them, turned into the contract's types. STRICT tables hold the column types already. */
export type Row = Record<string, SQLOutputValue>

export function text(row: Row, column: string): string {
  return String(row[column])
}

export function integer(row: Row, column: string): number {
  return Number(row[column])
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column]
  return value instanceof Uint8Array ? value : new Uint8Array()
}

function isNull(row: Row, column: string): boolean {
  return row[column] === null || row[column] === undefined
}

export function toStreamState(row: Row): StreamState {
  return {
    streamId: text(row, 'stream_id'),
    ...(isNull(row, 'sensor_key') ? {} : { opening: toOpening(row) }),
    nextSeq: integer(row, 'next_seq'),
    ...(isNull(row, 'head_hash') ? {} : { headHash: bytes(row, 'head_hash') }),
    standing: toStanding(text(row, 'standing')),
    ...(isNull(row, 'refusal_code') ? {} : { refusal: toRefusal(row) }),
    own: integer(row, 'own') === 1,
  }
}

function toOpening(row: Row) {
  return {
    sensorId: text(row, 'sensor_id'),
    sensorKey: bytes(row, 'sensor_key'),
    counter: integer(row, 'counter'),
    bootId: text(row, 'boot_id'),
    time: text(row, 'opened_time'),
  }
}

function toRefusal(row: Row) {
  return { code: text(row, 'refusal_code'), reason: text(row, 'refusal_reason'), seq: integer(row, 'refusal_seq') }
}

/** A word this version does not know is treated as the most cautious one. */
function toStanding(word: string): StreamStanding {
  return streamStates.find((state) => state === word) ?? 'refused'
}

export function toRange(row: Row): LeafRange {
  return {
    firstLeaf: integer(row, 'first_leaf'),
    streamId: text(row, 'stream_id'),
    firstSeq: integer(row, 'first_seq'),
    count: integer(row, 'count'),
  }
}

export function toBody(row: Row): StoredBody {
  return { leaf: integer(row, 'leaf'), body: bytes(row, 'body') }
}

export function toSecrets(row: Row): SealedSecrets {
  return {
    firstLeaf: integer(row, 'first_leaf'),
    wrapKeyId: text(row, 'wrap_key'),
    salt: bytes(row, 'salt'),
    offsets: bytes(row, 'offsets'),
    sealed: bytes(row, 'sealed'),
  }
}

export function toWrapKey(row: Row): WrapKey {
  return {
    id: text(row, 'id'),
    subject: text(row, 'subject'),
    retention: text(row, 'retention'),
    month: text(row, 'month'),
    kekId: text(row, 'kek_id'),
    wrapped: bytes(row, 'wrapped'),
  }
}

export function toOpenCall(row: Row): OpenCall {
  return {
    requestedHash: bytes(row, 'requested_hash'),
    streamId: text(row, 'stream_id'),
    sensorId: text(row, 'sensor_id'),
    seq: integer(row, 'seq'),
    kind: toExchangeKind(text(row, 'kind')),
    callId: text(row, 'call_id'),
    ...(isNull(row, 'call_group_id') ? {} : { callGroupId: text(row, 'call_group_id') }),
    ...(isNull(row, 'subject') ? {} : { subject: text(row, 'subject') }),
    ...(isNull(row, 'credential') ? {} : { credential: text(row, 'credential') }),
  }
}

function toExchangeKind(word: string): ExchangeKind {
  return exchangeKinds.find((kind) => kind === word) ?? 'call'
}

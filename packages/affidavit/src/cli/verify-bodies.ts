import type { Sha256 } from '@affidavit/evidence/record/crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import { sectionNames } from '@affidavit/evidence/record/kinds'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import { type Commitments, commitmentsOf, verifySection } from '@affidavit/evidence/verify/verify-sections'
import type { Leaf, LeafBody, LeafCheck } from './verify-contents.ts'

export interface BodiesCheck extends LeafCheck {
  /** Bodies that opened and fit. */
  verified(): number
  /** Bodies that are there, whatever they are worth. */
  stored(): number
}

/** Every commitment in every entry has its sealed body, which opens and fits; and there is no body that nothing commits to. */
export function createBodiesCheck(sha256: Sha256, problems: ProblemSink): BodiesCheck {
  let verified = 0
  let stored = 0
  const judge = (leaf: Leaf) => {
    const { header, envelope, body } = leaf
    if (body === undefined) return
    if (body.status !== 'absent') stored += 1
    const commitments = commitmentsOf(header, envelope)
    const place = { index: leaf.leaf, streamId: header.streamId, seq: header.seq }
    const found = judgeBody(sha256, commitments, body)
    if (found === 'fits') verified += 1
    else if (found !== 'none') problems.add(found.code, place, `body of entry ${leaf.leaf} ${found.why}`)
  }
  return {
    follow: ({ leaves }) => leaves.forEach(judge),
    end: () => undefined,
    verified: () => verified,
    stored: () => stored,
  }
}

type Judged = 'fits' | 'none' | { code: 'body_missing' | 'body_altered'; why: string }

function judgeBody(sha256: Sha256, commitments: Commitments, body: LeafBody): Judged {
  const committed = sectionNames.filter((name) => commitments[name] !== undefined)
  switch (body.status) {
    case 'absent':
      return committed.length === 0
        ? 'none'
        : { code: 'body_missing', why: `is missing: the entry commits to ${committed.join(', ')}` }
    case 'destroyed':
      return {
        code: 'body_missing',
        why: 'cannot be opened any more: its key is gone, and no record says it was erased',
      }
    case 'failed':
      if (committed.length === 0) return 'none'
      return { code: 'body_altered', why: `does not open: ${describe(body.cause)}` }
    case 'opened':
      return judgeSections(sha256, commitments, body)
  }
}

function judgeSections(sha256: Sha256, commitments: Commitments, body: LeafBody & { status: 'opened' }): Judged {
  try {
    for (const name of sectionNames) {
      const bytes = body.sections[name]
      if (bytes !== undefined) verifySection(sha256, commitments, { name, salt: body.saltOf(name), bytes })
      else if (commitments[name] !== undefined) return { code: 'body_missing', why: `lacks the section ${name}` }
    }
  } catch (error) {
    if (error instanceof RecordError) return { code: 'body_altered', why: `does not fit the entry: ${error.message}` }
    throw error
  }
  return 'fits'
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

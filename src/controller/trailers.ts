/** How the trailers of commits are written (docs/repository.md): their names that more than one part reads, and the words of a value. */
import type { Commit, Job } from '../domain/index.js'

export const ALLOW_DELETE = 'Drover-Allow-Delete'
export const ALLOW_REWIND = 'Drover-Allow-Rewind'
export const APPROVE = 'Drover-Approve'
export const DISPATCH = 'Drover-Dispatch'

/** Trailers are compared as git compares them: without regard to case. */
export function isTrailer({ key }: Commit['trailers'][number], name: string): boolean {
  return key.toLowerCase() === name.toLowerCase()
}

/** `web, ops/db other` is three words. */
export function trailerWords(value: string): readonly string[] {
  return value.split(/[\s,]+/).filter((word) => word !== '')
}

/** Whether `word` is the id of this job, alone or as `<namespace>/<id>`. */
export function isJobNamed({ ID, Namespace }: Job, word: string): boolean {
  return word === ID || word === `${Namespace}/${ID}`
}

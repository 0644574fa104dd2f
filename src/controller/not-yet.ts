/** What a jobspec may say and Drover does not carry out yet: refused with a sentence, so that nobody waits for it in vain. */
import type { Job, Mistake } from '../domain/index.js'

const REFUSALS: readonly (readonly [holds: (job: Job) => boolean, summary: string, detail: string])[] = [
  [
    (job) => job.Periodic !== null,
    'Periodic jobs are not launched yet',
    'Take the "periodic" block out and run the job as it is, or keep the file out of jobs/ until then.',
  ],
  [
    (job) => job.ParameterizedJob !== null,
    'Parameterized jobs cannot be dispatched yet',
    'Take the "parameterized" block out and commit one job for each set of parameters.',
  ],
  [
    (job) => job.Multiregion !== null,
    'Multiregion jobs are not spread over regions yet',
    'Take the "multiregion" block out: this server runs one region.',
  ],
]

/** In the form of other mistakes of a file, so that they freeze that job only. */
export function refuseWhatDoesNotRunYet(path: string, job: Job): readonly Mistake[] {
  return REFUSALS.filter(([holds]) => holds(job)).map(([, summary, detail]) => ({ path, line: 0, column: 0, summary, detail, snippet: '' }))
}

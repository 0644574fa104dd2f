/** Cases in which Drover and Nomad differed once, found by `npm run differential`, with what Nomad answered. */
import { ask } from '../../differential/questions.js'
import type { RecordedCase } from '../../differential/recorded-case.js'
import { RecordedReference } from '../../differential/reference.js'
import type { VectorKind } from '../kind.js'

export const pureBesideNomad: VectorKind = {
  kind: 'pure/beside-nomad',
  async *run(content) {
    for (const { name, question, job, next, replies } of content as readonly RecordedCase[]) {
      const mismatches = await ask(new RecordedReference(replies), question, { job, next })
      yield { name, mismatches: mismatches ?? [{ path: '$', expected: 'a comparison', got: 'none: its difference is expected' }] }
    }
  },
}

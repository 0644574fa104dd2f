/** How an act is decided: the commands that carry it out and its answer, or a refusal. */
import type { ActAnswers, ActName, ActRefusal, ActRequests, Random } from '../../domain/index.js'
import type { CommandBody, StateView } from '../../state/index.js'

export interface ActEnv {
  readonly random: Random
  readonly nowMs: number
}

export interface Decided<Answer> {
  readonly kind: 'decided'
  readonly commands: readonly CommandBody[]
  readonly answer: Answer
}

export type Act<Name extends ActName> = (view: StateView, request: ActRequests[Name], env: ActEnv) => Decided<ActAnswers[Name]> | ActRefusal

export function decided<Answer>(commands: readonly CommandBody[], answer: Answer): Decided<Answer> {
  return { kind: 'decided', commands, answer }
}

export function refused(text: string, reason: ActRefusal['reason'] = 'impossible'): ActRefusal {
  return { kind: 'refused', reason, text }
}

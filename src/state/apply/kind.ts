import type { Command, CommandKind } from '../command.js'

/** The command of one kind. */
export type CommandOf<Kind extends CommandKind> = Extract<Command, { readonly kind: Kind }>

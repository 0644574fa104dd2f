/** What the host's file says of `qemu`. Source: Nomad docs, "QEMU Driver", "Plugin Options". */
import * as z from 'zod'
import { execOptionsSchema } from '../exec/options.js'

export const qemuOptionsSchema = execOptionsSchema.omit({ allow_caps: true }).extend({
  /** Folders of the host whose images tasks may use besides those of their own allocation. */
  image_paths: z.array(z.string().startsWith('/', 'an absolute path')).default([]),
})

export type QemuOptions = z.output<typeof qemuOptionsSchema>

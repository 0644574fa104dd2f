import type { Deployment } from '../../domain/index.js'
import { FragmentCache } from '../encode.js'

/** A stored deployment is the wire's. */
export const deploymentJson = new FragmentCache<Deployment>((deployment) => deployment)

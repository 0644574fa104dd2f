export { AllocationNetworks, type NetworkOptions } from './allocation-networks.js'
export { type NetworkFingerprint, networkFingerprint } from './fingerprint.js'

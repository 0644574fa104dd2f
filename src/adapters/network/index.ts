export { AllocationNetworks, type NetworkOptions } from './allocation-networks.js'
export { missingBridgePlugins, type NetworkFingerprint, networkFingerprint } from './fingerprint.js'

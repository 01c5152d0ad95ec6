"""The audit log: entries, their Merkle tree, signed checkpoints, offline proofs, the journal."""

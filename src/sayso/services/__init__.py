"""One use case a file; each asks the policy and does what it permits."""

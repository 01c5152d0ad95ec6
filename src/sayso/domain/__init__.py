"""The rules: consent, policy, matching. Pure; standard library only."""

"""Error rates of biometric performance testing (ISO/IEC 19795-1 and 19795-10), from numbers.

Nothing here reads a photograph or knows a name: features, integer labels and boxes go in, rates
with their confidence intervals come out.
"""

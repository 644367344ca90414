"""The sections of the reference, each made from what it is about."""

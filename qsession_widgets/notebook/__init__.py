"""What a notebook types: the magics, and what they do.

``magics`` read ``%%session`` and ``%session``, ``actions`` do what they ask, ``usage`` and
``completion`` are help and Tab.
"""

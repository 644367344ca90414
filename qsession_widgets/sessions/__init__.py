"""Sessions that this kernel has: opened, bound to the primitives, kept to their rules, ended.

``session`` is the client library's own with more to it, ``opening`` makes it a ``live`` one,
``again`` goes on in one. ``binding`` says which one a primitive belongs to, by the ``seams``
where the client library asks; ``blocks`` are the user's own, ``strays`` what runs beside.
``guards`` and ``ending`` end them, ``noting`` tells others of them.
"""

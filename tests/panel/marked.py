"""A language in which every sentence stands in brackets, to see which words are not translated."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from typing import Any

MARKED = """
(() => {
    const filled = (words, values) =>
        `⟦${words.replace(/%%|%(\\d+)/g, (all, at) => (at ? `⟧${values[at - 1]}⟦` : '%'))}⟧`;
    globalThis[Symbol.for('qsession-widgets.catalogue.1')] = {
        gettext: (words, ...values) => filled(words, values),
        ngettext: (one, many, count) => filled(count === 1 ? one : many, [count]),
    };
})()
"""
"""A script for a page, before any of ours: the catalogue of that language."""
SHOWN = """
root => {
    const said = [];
    const nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
        if (!nodes.currentNode.parentElement.closest('style')) said.push(nodes.currentNode.data);
    }
    for (const each of root.querySelectorAll('*')) {
        for (const name of ['title', 'aria-label', 'placeholder', 'aria-description', 'alt']) {
            if (each.hasAttribute(name)) said.push(each.getAttribute(name));
        }
    }
    return said;
}
"""
"""Every text and label in an element."""
SAME = {
    "ms",
    "min",
    "days",
    "UTC",
    "GMT",
    "QPU",
    "on",
    "sampler",
    "estimator",
    "aer",
    "energy",
    "Premium",
    # the browser writes dates, in the reader's own way
    *calendar.month_abbr[1:],
    *calendar.day_abbr,
}
"""Units and names that are the same in every language, and what the browser writes."""
WORD = re.compile(r"[^\W\d_]{2,}")


def untranslated(said: list[str], *data: Any, ids: str = "") -> set[str]:
    """Words outside of brackets that are neither the same everywhere, nor in data, nor of an id."""
    words: set[str] = set()
    for text in said:
        depth, outside = 0, ""
        for letter in text:
            depth += {"⟦": 1, "⟧": -1}.get(letter, 0)
            outside += letter if depth == 0 else " "
        # what has an underscore is a name of the code's
        words |= set(WORD.findall(re.sub(r"\w*_\w*", " ", outside)))
    words -= SAME | set(_words_of(data))
    return {word for word in words if word not in ids}


def _words_of(data: Any) -> Iterator[str]:
    """The words of names and texts; a single word in small letters is a code."""
    if isinstance(data, str) and not re.fullmatch("[a-z_]+", data):
        yield from WORD.findall(data)
    elif isinstance(data, dict):
        yield from _words_of(list(data.values()))
    elif isinstance(data, list | tuple):
        for each in data:
            yield from _words_of(each)

"""Configuration of the documentation site; `make_site.py` puts its pages together."""

from __future__ import annotations

project = "qsession-widgets"
author = "The qsession-widgets contributors"
copyright = author
extensions = ["myst_parser"]

# Headings get the addresses that GitHub gives them; a link to one that is missing is a warning.
myst_heading_anchors = 4
# Cells with magics are no Python that can be coloured; they stay plain.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "pydata_sphinx_theme"
html_title = "qsession-widgets"
html_baseurl = "https://qsession-widgets.github.io/qsession-widgets/"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "github_url": "https://github.com/qsession-widgets/qsession-widgets",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

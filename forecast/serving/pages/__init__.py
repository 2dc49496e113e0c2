"""The page: every view written as HTML when a publication is made, in French and in English.

Pages are bytes of the publication like any other answer, so the server only sends them and a page
never says anything else than the API. They work without script; the few scripts add to them.

::

    speech (words of a language) ─┐
    zone_map, charts (SVG) ───────┼─► views, record, sayings ─► site (all pages) ─► files
    answers (of a publication) ───┘        (what pages show)    └─ templates/, rendering
"""

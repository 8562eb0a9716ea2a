"""The report: a page that shows what became of the photos of a run, or of the watched folders.

`rows` reads what happened, `pictures` turns files that are still what they were into thumbnails,
`view` makes the page, and `place` puts it where nothing publishes it: it holds clean faces.
"""

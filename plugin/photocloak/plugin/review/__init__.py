"""The page of `photocloak review`: look at an album, correct what is wrong, publish what is right.

`staging` is the private folder that cloaks wait in, `album` what is known of each photo, `maker`
has the photos made in the background, `corrections` does what the user says, `publishing` puts into
the output folder what was seen, and `app` and `people_pages` are the page.
"""

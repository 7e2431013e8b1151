"""Tests of the pages in a real browser with a live server. `make test-browser` runs them."""

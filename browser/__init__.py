"""The pages in a real browser, against a live server: `make test-browser`."""

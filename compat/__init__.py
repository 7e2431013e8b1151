"""Other people's APIs, one package each, over the same services as the native one: urls (their routes), wire (their
words, and nothing else), views. docs/compatibility.md says what each answers and what it leaves out."""

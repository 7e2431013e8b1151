"""The saving and reading of contract D's own service (docs/compatibility.md), on its tables, as functions in this
process."""

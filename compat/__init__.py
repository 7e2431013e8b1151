"""Compatibility with the APIs of other chat back ends, one package for each contract.

Each package has `urls` (the routes), `schemas` (the bodies, and their conversion to the fields of our models) and
`views`. The packages `nextauth` and `health` serve two contracts each. The views call the same services as the native
API. docs/compatibility.md lists the routes of each contract and its differences from the original API."""

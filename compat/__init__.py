"""Compatibility with the APIs of other chat back ends, one package for each contract.

Each package has urls (the routes), schemas (the bodies, and their translation into our fields) and views, and calls the
same services as the native API. docs/compatibility.md lists the routes of each contract, and what it leaves out."""

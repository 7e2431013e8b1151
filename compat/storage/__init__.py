"""A storage service: everything that a user has, read and saved whole. Contract D of docs/compatibility.md."""

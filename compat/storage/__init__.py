"""Contract D of docs/compatibility.md: a storage service. The client reads and saves all its sessions at once."""

"""The last conversations, each by the id that its client gave it. Contract E of docs/compatibility.md; what is said in
them comes in through compat.chat."""

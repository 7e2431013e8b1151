"""The review: verdicts and notes of staff on messages and conversations, queues of unjudged ones, and exports."""

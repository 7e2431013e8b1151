"""What staff think of messages and conversations: verdicts, notes, queues of what nobody has judged, and exports."""

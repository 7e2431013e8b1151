import type { Message } from "../api/messages";

type Props = { message: Message; isStreaming?: boolean };

/** What a message says: its reasoning, its text, its structured parts and its calls of tools. */
export function MessageBody({ message }: Props) {
  return <div dir="auto">{message.content}</div>;
}

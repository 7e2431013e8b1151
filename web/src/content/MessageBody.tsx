import type { Message } from "../api/messages";
import { t } from "../i18n";
import { Fold } from "./Fold";
import { MarkdownText } from "./MarkdownText";
import { Parts } from "./Parts";
import { ToolCalls, ToolResult } from "./ToolCalls";
import { UserText } from "./UserText";
import "./content.css";

/** The fields that this component reads. Messages of the API, of a stream and of a shared conversation have them. */
export type MessageContent = Pick<Message, "role"> &
  Partial<Pick<Message, "content" | "parts" | "reasoning" | "tool_calls" | "name">>;

type Props = { message: MessageContent; isStreaming?: boolean };

/** The content of a message: its reasoning, text, structured parts and tool calls. */
export function MessageBody({ message, isStreaming = false }: Props) {
  const content = message.content ?? "";
  return (
    <div className="message-content">
      <Reasoning text={message.reasoning ?? ""} isStreaming={isStreaming} isOpen={isStreaming && !content} />
      <Text message={message} isStreaming={isStreaming} />
      <Parts parts={message.parts} content={content} isPlain={message.role === "user"} />
      <ToolCalls calls={message.tool_calls} />
    </div>
  );
}

type ReasoningProps = { text: string; isStreaming: boolean; isOpen: boolean };

/** The reasoning of the model. It is open until the text of the reply begins. */
function Reasoning({ text, isStreaming, isOpen }: ReasoningProps) {
  if (!text) return null;
  return (
    <Fold title={t("Reasoning")} isOpen={isOpen}>
      <MarkdownText text={text} isStreaming={isStreaming && isOpen} />
    </Fold>
  );
}

function Text({ message, isStreaming }: { message: MessageContent; isStreaming: boolean }) {
  const { role, content, name = "" } = message;
  if (!content) return null;
  switch (role) {
    case "user":
      return <UserText text={content} />;
    case "assistant":
      return <MarkdownText text={content} isStreaming={isStreaming} />;
    case "tool":
      return <ToolResult name={name} content={content} />;
    case "system":
    case "developer":
      return (
        <Fold isBare title={role === "system" ? t("System prompt") : t("Developer's instructions")}>
          <MarkdownText text={content} />
        </Fold>
      );
    default:
      return (
        <>
          <p className="role-label">{labelOf(role)}</p>
          <MarkdownText text={content} isStreaming={isStreaming} />
        </>
      );
  }
}

function labelOf(role: Message["role"]): string {
  if (role === "critic") return t("Critic");
  return role === "discriminator" ? t("Discriminator") : t("Unknown role");
}

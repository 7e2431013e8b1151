import { useParams } from "@tanstack/react-router";
import { t } from "../i18n";

export function ChatPage() {
  const { conversationId } = useParams({ strict: false });
  return <h1>{conversationId ?? t("New conversation")}</h1>;
}

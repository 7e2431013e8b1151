import { t } from "../i18n";

/** Name the author of a message. */
export function speakerOf({ role, model, name }: { role: string; model?: string; name?: string }): string {
  switch (role) {
    case "user":
      return name || t("You");
    case "assistant":
      return model || t("Assistant");
    case "tool":
      return name ? t("Tool {{name}}", { name }) : t("Tool");
    case "system":
    case "developer":
      return t("System prompt");
    default:
      return role;
  }
}

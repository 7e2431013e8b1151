import { useEffect, useRef, useState } from "react";
import type { NewToken } from "../api/tokens";
import { t } from "../i18n";
import { rescueFocus } from "../ui/focus";
import { Icon } from "../ui/Icon";

type Props = { token: NewToken; onDone: () => void };

/** Shows the secret of a new token. Nobody can read it again later. */
export function NewSecret({ token, onDone }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    field.current?.focus();
    return rescueFocus;
  }, []);
  const copy = async () => {
    field.current?.select();
    // Without HTTPS, no page can write to the clipboard. The secret stays selected for Ctrl+C.
    await navigator.clipboard?.writeText(field.current?.value ?? "");
    setCopied(Boolean(navigator.clipboard));
  };
  return (
    <section className="secret" aria-labelledby="secret-title">
      <h3 id="secret-title">{t("Your new token “{{name}}”", { name: token.name })}</h3>
      <p>
        <strong>{t("Copy it now.")}</strong>{" "}
        {t("It is shown only once. Everyone who has it can use your account within its scopes.")}
      </p>
      <div className="secret-row">
        <input ref={field} readOnly value={token.token ?? ""} aria-label={t("Token")} spellCheck={false} />
        <button type="button" className="button" onClick={() => void copy()}>
          <Icon name={isCopied ? "check" : "copy"} />
          {isCopied ? t("Copied") : t("Copy")}
        </button>
      </div>
      <p className="visually-hidden" role="status">
        {isCopied && t("The token is in the clipboard.")}
      </p>
      <button type="button" className="button secondary" onClick={onDone}>
        {t("I have stored it")}
      </button>
    </section>
  );
}

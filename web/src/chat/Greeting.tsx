import { useQuery } from "@tanstack/react-query";
import { modelsQuery } from "../api/account";
import { t } from "../i18n";

const EXAMPLE = `OPENAI_BASE_URL=http://localhost:11434/v1 MODELS='{"openai": {"model": "llama3.2"}}' make run`;

export function Greeting() {
  const { data: models } = useQuery(modelsQuery);
  return (
    <div className="greeting">
      <h2>{t("What would you like to know?")}</h2>
      {models?.every(({ kind }) => kind === "echo") && <EchoNote />}
    </div>
  );
}

/** Says that only the built-in echo answers, and how an operator configures a model. */
function EchoNote() {
  return (
    <aside className="echo-note">
      <p>
        <strong>{t("No model is configured.")}</strong>{" "}
        {t("The built-in echo answers instead. It repeats your question, and is not a language model.")}
      </p>
      <p>
        {t("To use a model on your own machine, set the address of its server and the name of the model. For Ollama:")}
      </p>
      <pre>
        <code>{EXAMPLE}</code>
      </pre>
      <p>
        {t("To use a provider, set its API key, such as OPENAI_API_KEY. docs/configuration.md lists all settings.")}
      </p>
    </aside>
  );
}

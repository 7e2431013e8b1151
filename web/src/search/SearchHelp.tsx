import { t } from "../i18n";
import { operators } from "./operators";

function examples(): string[] {
  const year = new Date().getFullYear();
  return [
    `"${t("for example")}"`,
    `role:user after:${year}-01-01`,
    "has:tool_calls",
    `in:title ${t("plan")}`,
    "python -javascript",
  ];
}

/** Explains the operators. It is shown while the query is empty. */
export function SearchHelp({ onTry }: { onTry: (text: string) => void }) {
  return (
    <section className="search-help">
      <p>{t("Search finds words in the titles and messages of all conversations, also on other branches.")}</p>
      <h2>{t("Search operators")}</h2>
      <dl>
        {operators().map(({ text, label, hint }) => (
          <div key={text}>
            <dt>
              <code>{label}</code>
            </dt>
            <dd>{hint}</dd>
          </div>
        ))}
      </dl>
      <h2>{t("Examples")}</h2>
      <ul className="examples">
        {examples().map((example) => (
          <li key={example}>
            <button type="button" onClick={() => onTry(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

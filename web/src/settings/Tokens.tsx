import { useState } from "react";
import type { NewToken } from "../api/tokens";
import { t } from "../i18n";
import { NewSecret } from "./NewSecret";
import { TokenForm } from "./TokenForm";
import { TokenList } from "./TokenList";

export function Tokens() {
  const [created, setCreated] = useState<NewToken | null>(null);
  return (
    <>
      <p className="soft">
        {t("Programs use a token instead of your password. Each token can do no more than you allow it.")}{" "}
        <a href="/api/docs/">{t("API documentation")}</a>
      </p>
      {created ? <NewSecret token={created} onDone={() => setCreated(null)} /> : <TokenForm onCreated={setCreated} />}
      <TokenList />
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import { modelsQuery, preferencesQuery, useChangePreferences } from "../api/account";
import { LANGUAGES, language, t } from "../i18n";
import { THEMES, type Theme } from "../shell/theme";
import { Field, Outcome } from "./Field";
import { ServiceFacts } from "./ServiceFacts";

export function General() {
  const change = useChangePreferences();
  // The texts are loaded once, at the start, so another language needs a reload.
  const changeLanguage = (code: string) =>
    change.mutate({ language: code }, { onSuccess: () => window.location.reload() });
  return (
    <>
      <ThemeChoice onChange={(theme) => change.mutate({ theme })} />
      <Field label={t("Language")}>
        {(control) => (
          <select {...control} value={language()} onChange={(event) => changeLanguage(event.target.value)}>
            {Object.entries(LANGUAGES).map(([code, name]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <DefaultModel onChange={(default_model) => change.mutate({ default_model })} />
      <Outcome error={change.error} success={change.isSuccess && t("Saved")} />
      <ServiceFacts />
    </>
  );
}

function ThemeChoice({ onChange }: { onChange: (theme: Theme) => void }) {
  const { data } = useQuery(preferencesQuery);
  const chosen = data?.created_at ? data.theme : "system"; // nothing is stored before the first change
  const labels = { system: t("System"), light: t("Light"), dark: t("Dark") };
  return (
    <fieldset className="field">
      <legend>{t("Theme")}</legend>
      <div className="segments">
        {THEMES.map((theme) => (
          <label key={theme}>
            <input type="radio" name="theme" checked={chosen === theme} onChange={() => onChange(theme)} />
            {labels[theme]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function DefaultModel({ onChange }: { onChange: (model: string) => void }) {
  const { data: models = [] } = useQuery(modelsQuery);
  const chosen = models.find((model) => model.is_default)?.name ?? "";
  return (
    <Field label={t("Default model")} help={t("New conversations start with this model.")}>
      {(control) => (
        <select {...control} value={chosen} onChange={(event) => onChange(event.target.value)}>
          {!chosen && <option value="" />}
          {models.map(({ name, model }) => (
            <option key={name} value={name}>
              {name === model ? name : `${name} (${model})`}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

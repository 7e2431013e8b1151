import { t } from "../i18n";
import type { Expiry } from "./expiry";
import { Field } from "./Field";

type Props = {
  /** Numbers of days to choose from. */
  periods: readonly number[];
  expiry: Expiry;
  onChange: (expiry: Expiry) => void;
  error: string | undefined;
};

/** The choice of when something expires: after some days, at the end of a day, or never. */
export function ExpiryChoice({ periods, expiry, onChange, error }: Props) {
  const { choice, date } = expiry;
  return (
    <Field label={t("Expiry")} error={error}>
      {(control) => (
        <div className="pair">
          <select {...control} value={choice} onChange={(event) => onChange({ choice: event.target.value, date })}>
            {periods.map((days) => (
              <option key={days} value={days}>
                {t("After {{count}} days", { count: days, defaultValue_one: "After {{count}} day" })}
              </option>
            ))}
            <option value="date">{t("At the end of a day")}</option>
            <option value="never">{t("Never")}</option>
          </select>
          {choice === "date" && (
            <input
              type="date"
              aria-label={t("Last day")}
              value={date}
              onChange={(event) => onChange({ choice, date: event.target.value })}
            />
          )}
        </div>
      )}
    </Field>
  );
}

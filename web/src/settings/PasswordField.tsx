import { t } from "../i18n";
import { errorOf, Field } from "./Field";

type Props = { value: string; onChange: (password: string) => void; error: unknown };

/** The field for the current password of the user. */
export function PasswordField({ value, onChange, error }: Props) {
  return (
    <Field label={t("Password")} error={errorOf(error, "password")}>
      {(control) => (
        <input
          {...control}
          type="password"
          autoComplete="current-password"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

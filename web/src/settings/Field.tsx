import { type ReactNode, useId } from "react";
import { ApiError } from "../api/client";
import { explain } from "../ui/explain";

type Control = { id: string; "aria-describedby": string; "aria-invalid": boolean };
type Props = { label: string; help?: ReactNode; error?: string | undefined; children: (control: Control) => ReactNode };

/** A form field: its label, the control, a help text, and the error that the server or the form found. */
export function Field({ label, help, error, children }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": `${id}-help`, "aria-invalid": Boolean(error) })}
      <div id={`${id}-help`} className="field-help">
        {error && (
          <p className="error-text" role="alert">
            {error}
          </p>
        )}
        {help && <p className="soft">{help}</p>}
      </div>
    </div>
  );
}

/** Return the text of an error if it belongs to the field `name` or to a part of it. */
export function errorOf(error: unknown, name: string): string | undefined {
  const field = error instanceof ApiError ? error.field : null;
  return field === name || field?.startsWith(`${name}[`) ? explain(error) : undefined;
}

type OutcomeProps = { error: unknown; fields?: readonly string[]; success?: string | false };

/** Announces that something was saved, or an error that belongs to none of the fields. */
export function Outcome({ error, fields = [], success = false }: OutcomeProps) {
  const isShownElsewhere = fields.some((name) => errorOf(error, name));
  return (
    <>
      {error && !isShownElsewhere ? (
        <p className="error-text" role="alert">
          {explain(error)}
        </p>
      ) : null}
      <p className="outcome" role="status">
        {success}
      </p>
    </>
  );
}
